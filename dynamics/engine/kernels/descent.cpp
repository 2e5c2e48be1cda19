// Gradient descent of a narrow deep linear network, compiled for one WIDTH and one type of number,
// REAL, so that all loops over the width unroll. Rows are padded with zeros, which stay zeros, to
// vectors of 8 and of 4; matrices lie row by row.
//
// ``entries`` reads some entries of the target, ``factored`` its factors. Both make the steps of
// steps/plain.py, in its notation.

#include <cstdint>
#include <cstring>
#include <utility>

#define INLINE static inline __attribute__((always_inline))  // otherwise rows leave the registers

typedef REAL T;
typedef T Vector __attribute__((vector_size(4 * sizeof(T))));
typedef T Anywhere __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T))));
typedef T Wide __attribute__((vector_size(8 * sizeof(T)), aligned(4 * sizeof(T))));
#ifdef __AVX512F__
static const bool EIGHT = true;
#else
static const bool EIGHT = sizeof(T) == 4;
#endif
// P is the padded width. W is its number of vectors of 8, if the processor has them, and REST is its
// number of vectors of 4.
static const int P = (WIDTH + 3) / 4 * 4, W = EIGHT ? P / 8 : 0, REST = P / 4 - 2 * W;

#if defined(__clang__) || __GNUC__ >= 12
#define PICK __builtin_shufflevector
#else
template <int> struct Whole;
template <> struct Whole<8> { typedef int64_t type; };
template <> struct Whole<4> { typedef int32_t type; };
typedef Whole<sizeof(T)>::type Mask __attribute__((vector_size(4 * sizeof(T))));
#define PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (Mask){i, j, k, l})
#endif

struct Row { Wide wide[W]; Vector rest[REST]; };  // either may be empty
struct Square { Row row[P]; };  // an inner factor, or a product of them
// Rows of X and of Z = W_L^T R, side by side for the cache; no vector crosses two cache lines.
struct Column {
    Wide y_wide[W], z_wide[W];
    Vector y_rest[REST], z_rest[REST];

    Row y() const { return row(y_wide, y_rest); }
    Row z() const { return row(z_wide, z_rest); }
    void start(const Row &y) {
        for (int w = 0; w < W; w++) y_wide[w] = y.wide[w], z_wide[w] = Wide{};
        for (int n = 0; n < REST; n++) y_rest[n] = y.rest[n], z_rest[n] = Vector{};
    }
    void add_z(T factor, const Row &u) {
        for (int w = 0; w < W; w++) z_wide[w] += factor * u.wide[w];
        for (int n = 0; n < REST; n++) z_rest[n] += factor * u.rest[n];
    }

  private:
    static Row row(const Wide *wide, const Vector *rest) {
        Row row;
        for (int w = 0; w < W; w++) row.wide[w] = wide[w];
        for (int n = 0; n < REST; n++) row.rest[n] = rest[n];
        return row;
    }
};

static T at(const Row &row, int k) { return ((const T *)&row)[k]; }

static void add(Row &sum, T factor, const Row &row) {
    for (int w = 0; w < W; w++) sum.wide[w] += factor * row.wide[w];
    for (int n = 0; n < REST; n++) sum.rest[n] += factor * row.rest[n];
}

// row . matrix
static Row times(const Row &row, const Square &matrix) {
    Row out = {};
    for (int k = 0; k < WIDTH; k++) add(out, at(row, k), matrix.row[k]);
    return out;
}

static void transpose(const Square &from, Square &to) {
    for (int a = 0; a < P; a++)
        for (int b = 0; b < P; b++) ((T *)&to.row[b])[a] = at(from.row[a], b);
}

// <u, y>, as four partial sums.
static Vector partial(const Row &u, const Row &y) {
    Vector sum = {};
    for (int n = 0; n < REST; n++) sum += u.rest[n] * y.rest[n];
    if (W) {
        Wide wide = u.wide[0] * y.wide[0];
        for (int w = 1; w < W; w++) wide += u.wide[w] * y.wide[w];
        Vector half[2];
        memcpy(half, &wide, sizeof half);
        sum += half[0] + half[1];
    }
    return sum;
}

// The sums of the lanes of four vectors.
static Vector sums(Vector a, Vector b, Vector c, Vector d) {
    Vector ab = PICK(a, b, 0, 4, 2, 6) + PICK(a, b, 1, 5, 3, 7);
    Vector cd = PICK(c, d, 0, 4, 2, 6) + PICK(c, d, 1, 5, 3, 7);
    return PICK(ab, cd, 0, 1, 4, 5) + PICK(ab, cd, 2, 3, 6, 7);
}

// s = <u, y_j> - m at four entries of one row.
INLINE Vector residual(const Row &u, const Row *y, const T *values) {
    Vector product = sums(partial(u, y[0]), partial(u, y[1]), partial(u, y[2]), partial(u, y[3]));
    return product - *(const Anywhere *)values;
}

// One row of W_L: with s = <u_i, y_j> - m_ij at each of its observed entries, Z gains s u_i at
// column j, and the sum of s y_j is the row's gradient. Entries come in fours: a row is padded by
// zeros that belong to a column of zeros after the last.
static Row visit(const Row u, int64_t from, int64_t to, const int32_t *places, const T *values,
                 Column *columns) {
    Row gradient = {};
    for (int64_t e = from; e < to; e += 4) {
        Column *c[4];
        Row y[4];  // copies, since the compiler cannot know that Z is not X
        for (int k = 0; k < 4; k++) y[k] = (c[k] = columns + places[e + k])->y();
        Vector s = residual(u, y, values + e);
        for (int k = 0; k < 4; k++) {
            T off = s[k];
            add(gradient, off, y[k]);
            c[k]->add_z(off, u);
        }
    }
    return gradient;
}

// sums[a] = sum over i of weights[i][a] rows[i], four at a time so that they stay in registers.
// A row of weights has ``stride`` numbers, of which ``width``, a multiple of four, are used;
// ``skip`` numbers are left out after the wide vectors.
static void gather(int count, const void *weights, int stride, int width, const Row *rows,
                   Row *sums, int skip = 0) {
    for (int a = 0; a < width; a += 4) {
        const int from = a >= 8 * W ? a + skip : a;
        Row part[4] = {};
        for (int i = 0; i < count; i++) {
            const T *weight = (const T *)weights + (int64_t)i * stride + from;
            for (int k = 0; k < 4; k++) add(part[k], weight[k], rows[i]);
        }
        for (int k = 0; k < 4; k++) sums[a + k] = part[k];
    }
}

// prefixes[i] = W_(i+2) ... W_2; the last one is K
static void multiply(int inner, const Square *chain, Square *prefixes) {
    prefixes[0] = chain[0];
    for (int i = 1; i < inner; i++)
        for (int a = 0; a < P; a++)
            prefixes[i].row[a] = times(chain[i].row[a], prefixes[i - 1]);
}

// W_l -= rate (W_(L-1) ... W_(l+1))^T H (W_(l-1) ... W_2)^T; ``down`` is H at first.
static void descend(int inner, Square *chain, const Square *prefixes, Square &down, T rate) {
    Square turned, above;
    for (int i = inner - 1; i > 0; i--) {
        above = down;
        transpose(chain[i], turned);
        for (int a = 0; a < P; a++) down.row[a] = times(turned.row[a], above);
        transpose(prefixes[i - 1], turned);
        for (int a = 0; a < P; a++)
            add(chain[i].row[a], -rate, times(above.row[a], turned));
    }
    for (int a = 0; a < P; a++) add(chain[0].row[a], -rate, down.row[a]);
}

// Computes X and sets Z to zero; with inner factors, also computes their products and K transposed.
INLINE void forward(int cols, int inner, const Square *chain, const Row *first, Square *prefixes,
                    Square &turned, Column *columns) {
    if (inner) {
        multiply(inner, chain, prefixes);
        transpose(prefixes[inner - 1], turned);
    }
    for (int j = 0; j < cols; j++) columns[j].start(inner ? times(first[j], turned) : first[j]);
}

// The sum of all s s: twice the loss over c.
extern "C" void misfit(int rows, int cols, int inner, const int32_t *starts, const int32_t *places,
                       const T *values, const Row *last, const Row *first, const Square *chain,
                       void *work, T *out) {
    Square *prefixes = (Square *)work, turned;
    Column *columns = (Column *)(prefixes + inner);
    forward(cols, inner, chain, first, prefixes, turned, columns);
    Vector sum = {};
    for (int i = 0; i < rows; i++)
        for (int64_t e = starts[i]; e < starts[i + 1]; e += 4) {
            Row y[4];
            for (int k = 0; k < 4; k++) y[k] = columns[places[e + k]].y();
            Vector s = residual(last[i], y, values + e);
            sum += s * s;
        }
    *out = sum[0] + sum[1] + sum[2] + sum[3];
}

extern "C" void entries(int64_t count, int rows, int cols, int inner, const int32_t *starts,
                  const int32_t *places, const T *values, Row *last, Row *first,
                  Square *chain, void *work, T outer_rate, T inner_rate) {
    Square *prefixes = (Square *)work, turned, down;
    Column *columns = (Column *)(prefixes + inner);
    for (; count > 0; count--) {
        forward(cols, inner, chain, first, prefixes, turned, columns);
        for (int i = 0; i < rows; i++)
            add(last[i], -outer_rate,
                visit(last[i], starts[i], starts[i + 1], places, values, columns));
        if (inner) gather(cols, columns->z_wide, 2 * P, P, first, down.row, 4 * REST);
        for (int j = 0; j < cols; j++)
            add(first[j], -outer_rate,
                inner ? times(columns[j].z(), prefixes[inner - 1]) : columns[j].z());
        if (inner) descend(inner, chain, prefixes, down, inner_rate);
    }
}

// One outer factor of ``count`` rows, and its side of the target with ``rank`` numbers per row.
struct Side {
    int count, rank;
    Row *factor;
    const T *target;
    Square &upper;   // at first the factor's Gram matrix, later coefficients of its gradient
    Row *lower;      // the same for the target: ``rank`` rows

    void gram() {
        gather(count, factor, P, P, factor, upper.row);
        gather(count, target, rank, rank, factor, lower);
    }
    void move(T rate) {
        for (int i = 0; i < count; i++) {
            Row gradient = times(factor[i], upper);
            for (int k = 0; k < rank; k++) add(gradient, target[(int64_t)i * rank + k], lower[k]);
            add(factor[i], -rate, gradient);
        }
    }
    // diag(left, I) . Gram . right, in place
    void between(const Square &left, const Square &right) {
        Square half;
        for (int a = 0; a < P; a++) half.row[a] = times(upper.row[a], right);
        for (int a = 0; a < P; a++) upper.row[a] = times(left.row[a], half);
        for (int k = 0; k < rank; k++) lower[k] = times(lower[k], right);
    }
};

// Steps towards a full target given by its factors; steps/factored.py has the formulas.
extern "C" void factored(int64_t count, int rows, int cols, int inner, int rank, const T *left,
                     const T *right, Row *last, Row *first, Square *chain, void *work,
                     T outer_rate, T inner_rate) {
    Square *prefixes = (Square *)work, turned, down;
    Square *grams = prefixes + inner;
    Row *lower = (Row *)(grams + 2);
    Side at_rows = {rows, rank, last, left, grams[0], lower};
    Side at_cols = {cols, rank, first, right, grams[1], lower + rank};
    for (; count > 0; count--) {
        at_rows.gram();
        at_cols.gram();
        if (inner) {
            multiply(inner, chain, prefixes);
            const Square &k = prefixes[inner - 1];
            transpose(k, turned);
            for (int a = 0; a < P; a++)
                down.row[a] = times(times(grams[0].row[a], k), grams[1]);
            for (int i = 0; i < rank; i++)
                for (int a = 0; a < P; a++)
                    add(down.row[a], at(at_rows.lower[i], a), at_cols.lower[i]);
            at_rows.between(turned, k);
            at_cols.between(k, turned);
        }
        std::swap(at_rows.upper, at_cols.upper);
        for (int i = 0; i < rank; i++) std::swap(at_rows.lower[i], at_cols.lower[i]);
        at_rows.move(outer_rate);
        at_cols.move(outer_rate);
        if (inner) descend(inner, chain, prefixes, down, inner_rate);
    }
}
