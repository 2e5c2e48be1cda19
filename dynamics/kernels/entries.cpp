// Gradient descent of a narrow deep linear network on the observed entries of a matrix.
//
// One pass over the rows does what the plain path needs three products for: with u_i a row of W_L
// and y_j a column of X = K W_1, K = W_(L-1) ... W_2, each observed entry gives
//     s = <u_i, y_j> - m_ij,   G_L[i] += s y_j,   Z[j] += s u_i,
// after which row i has its whole gradient and moves. Same steps as descent.py, same notation.
//
// Rows are padded with zeros to N vectors of 4 numbers, N known to the compiler: zeros stay zeros,
// and all loops over the width unroll. Matrices are row by row, and all arrays 32-byte aligned.

#include <cstdint>
#include <cstring>

#ifdef __clang__
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (typename Lanes<T>::Mask){i, j, k, l})
#endif

template <class T> struct Lanes;
template <> struct Lanes<double> {
    typedef double Vector __attribute__((vector_size(32)));
    typedef int64_t Mask __attribute__((vector_size(32)));
};
template <> struct Lanes<float> {
    typedef float Vector __attribute__((vector_size(16)));
    typedef int32_t Mask __attribute__((vector_size(16)));
};

template <class T, int N> struct Descent {
    typedef typename Lanes<T>::Vector Vector;
    static const int P = 4 * N;       // the padded width
    struct Row { Vector part[N]; };
    struct Square { Row row[P]; };    // an inner factor, or a product of them
    struct Column { Row y, z; };      // of X, and of Z = W_L^T R, side by side for the cache

    static T at(const Row &row, int k) { return row.part[k / 4][k % 4]; }

    static void add(Row &sum, T factor, const Row &row) {
        for (int n = 0; n < N; n++) sum.part[n] += factor * row.part[n];
    }

    // row . matrix
    static Row times(const Row &row, const Square &matrix) {
        Row out = {};
        for (int k = 0; k < P; k++) add(out, at(row, k), matrix.row[k]);
        return out;
    }

    static void transpose(const Square &from, Square &to) {
        for (int a = 0; a < P; a++)
            for (int b = 0; b < P; b++) ((T *)&to.row[b])[a] = at(from.row[a], b);
    }

    static Vector partial(const Row &u, const Row &y) {
        Vector sum = u.part[0] * y.part[0];
        for (int n = 1; n < N; n++) sum += u.part[n] * y.part[n];
        return sum;
    }

    // The sums of the lanes of four vectors.
    static Vector sums(Vector a, Vector b, Vector c, Vector d) {
        Vector ab = PICK(a, b, 0, 4, 2, 6) + PICK(a, b, 1, 5, 3, 7);
        Vector cd = PICK(c, d, 0, 4, 2, 6) + PICK(c, d, 1, 5, 3, 7);
        return PICK(ab, cd, 0, 1, 4, 5) + PICK(ab, cd, 2, 3, 6, 7);
    }

    // One row of W_L: Z gains its share, and the row's own gradient is returned.
    static Row visit(const Row &u, int64_t from, int64_t to, const int32_t *places,
                     const T *values, Column *columns) {
        Row gradient = {};
        int64_t e = from;
        for (; e + 4 <= to; e += 4) {
            Column *c[4];
            for (int k = 0; k < 4; k++) c[k] = columns + places[e + k];
            Vector s = sums(partial(u, c[0]->y), partial(u, c[1]->y), partial(u, c[2]->y),
                            partial(u, c[3]->y));
            for (int k = 0; k < 4; k++) {
                T off = s[k] - values[e + k];
                add(gradient, off, c[k]->y);
                add(c[k]->z, off, u);
            }
        }
        for (; e < to; e++) {
            Column &c = columns[places[e]];
            Vector s = partial(u, c.y);
            T off = (s[0] + s[1]) + (s[2] + s[3]) - values[e];
            add(gradient, off, c.y);
            add(c.z, off, u);
        }
        return gradient;
    }

    // H = Z W_1^T, four rows at a time so that the sums stay in registers.
    static void gather(int cols, const Column *columns, const Row *first, Square &sum) {
        for (int a = 0; a < P; a += 4) {
            Row part[4] = {};
            for (int j = 0; j < cols; j++)
                for (int k = 0; k < 4; k++) add(part[k], at(columns[j].z, a + k), first[j]);
            for (int k = 0; k < 4; k++) sum.row[a + k] = part[k];
        }
    }

    // prefixes[i] = W_(i+2) ... W_2, of which the last is K
    static void multiply(int inner, const Square *chain, Square *prefixes) {
        prefixes[0] = chain[0];
        for (int i = 1; i < inner; i++)
            for (int a = 0; a < P; a++)
                prefixes[i].row[a] = times(chain[i].row[a], prefixes[i - 1]);
    }

    // W_l -= rate (W_(L-1) ... W_(l+1))^T H (W_(l-1) ... W_2)^T; ``down`` enters as H.
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

    static void steps(int64_t count, int rows, int cols, int inner, const int32_t *starts,
                      const int32_t *places, const T *values, Row *last, Row *first,
                      Square *chain, void *work, T outer_rate, T inner_rate) {
        Square *prefixes = (Square *)work, turned, down;
        Column *columns = (Column *)(prefixes + inner);
        for (; count > 0; count--) {
            if (inner) {
                multiply(inner, chain, prefixes);
                transpose(prefixes[inner - 1], turned);
            }
            for (int j = 0; j < cols; j++) {
                columns[j].y = inner ? times(first[j], turned) : first[j];
                columns[j].z = {};
            }
            for (int i = 0; i < rows; i++)
                add(last[i], -outer_rate,
                    visit(last[i], starts[i], starts[i + 1], places, values, columns));
            if (inner) gather(cols, columns, first, down);
            for (int j = 0; j < cols; j++)
                add(first[j], -outer_rate,
                    inner ? times(columns[j].z, prefixes[inner - 1]) : columns[j].z);
            if (inner) descend(inner, chain, prefixes, down, inner_rate);
        }
    }
};

template <class T>
static int dispatch(int64_t count, int rows, int cols, int width, int inner,
                    const int32_t *starts, const int32_t *places, const T *values, void *last,
                    void *first, void *chain, void *work, T outer_rate, T inner_rate) {
    switch ((width + 3) / 4) {
#define WIDTH(N)                                                                              \
    case N: {                                                                                 \
        typedef Descent<T, N> D;                                                              \
        D::steps(count, rows, cols, inner, starts, places, values, (typename D::Row *)last,   \
                 (typename D::Row *)first, (typename D::Square *)chain, work, outer_rate,     \
                 inner_rate);                                                                 \
        return 0;                                                                             \
    }
        WIDTH(1) WIDTH(2) WIDTH(3) WIDTH(4) WIDTH(5) WIDTH(6) WIDTH(7) WIDTH(8)
        WIDTH(9) WIDTH(10) WIDTH(11) WIDTH(12) WIDTH(13) WIDTH(14) WIDTH(15) WIDTH(16)
    }
    return 1;
}

#define ENTRY(NAME, T)                                                                        \
    extern "C" int NAME(int64_t count, int rows, int cols, int width, int inner,              \
                        const int32_t *starts, const int32_t *places, const T *values,        \
                        void *last, void *first, void *chain, void *work, double outer_rate,  \
                        double inner_rate) {                                                  \
        return dispatch<T>(count, rows, cols, width, inner, starts, places, values, last,     \
                           first, chain, work, (T)outer_rate, (T)inner_rate);                 \
    }
ENTRY(descend_float64, double)
ENTRY(descend_float32, float)
