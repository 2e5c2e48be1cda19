"""Problems: one file per problem, each with a function ``make``."""
