"""How a chart is laid out for print: sizes, type, lines, rows."""
