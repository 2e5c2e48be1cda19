// C = beta C + alpha A B. Any strides for A and B; the rows of C are contiguous.
//
// The innermost block of C, 8 rows by 3 vectors of 64 bytes (AVX-512) or 6 by 2 of 32 (AVX2), stays
// in registers. The panel of B that it needs is packed and stays in the first-level cache. Each block
// of A fits in the second-level cache. ``replay`` makes many steps of such products in one call.

#include <algorithm>
#include <cstdint>

typedef REAL T;
#ifdef __AVX512F__
static const int BYTES = 64, ROWS = 8, WIDE = 3;
#else
static const int BYTES = 32, ROWS = 6, WIDE = 2;
#endif
typedef T Vector __attribute__((vector_size(BYTES)));
typedef T Anywhere __attribute__((vector_size(BYTES), aligned(sizeof(T))));
static const int LANES = BYTES / sizeof(T), COLS = WIDE * LANES;
static const int DEEP = 192, TALL = 384;  // rows of a packed panel, and of a block of A

struct Matrix {
    const T *data;
    int64_t down, right;
    const T *at(int64_t i, int64_t j) const { return data + i * down + j * right; }
};

// Copies ``deep`` rows and ``cols`` columns of B into a panel, padded by zeros to COLS columns.
static void pack(const Matrix &b, int64_t k, int64_t j, int deep, int cols, T *panel) {
    for (int r = 0; r < deep; r++) {
        const T *from = b.at(k + r, j);
        T *to = panel + r * COLS;
        if (b.right == 1)
            for (int c = 0; c < cols; c++) to[c] = from[c];
        else
            for (int c = 0; c < cols; c++) to[c] = from[c * b.right];
        for (int c = cols; c < COLS; c++) to[c] = 0;
    }
}

template <int V>
static void block(const Matrix &a, int64_t i, int64_t k, int rows, int deep, const T *panel,
                  int cols, T *c, int64_t down, T alpha, T beta) {
    Vector sum[ROWS][V] = {};
    const T *row[ROWS];  // missing rows repeat the last one, and their results are dropped
    for (int r = 0; r < ROWS; r++) row[r] = a.at(i + std::min(r, rows - 1), k);
    for (int d = 0; d < deep; d++) {
        const Vector *b = (const Vector *)(panel + d * COLS);
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < V; v++) sum[r][v] += row[r][d * a.right] * b[v];
    }
    for (int r = 0; r < rows; r++, c += down)
        for (int v = 0; v < V; v++) {
            int left = cols - v * LANES;
            if (left >= LANES) {
                Anywhere *to = (Anywhere *)(c + v * LANES);
                *to = beta == 0 ? alpha * sum[r][v] : beta * *to + alpha * sum[r][v];
            } else {
                for (int l = 0; l < left; l++) {
                    T *to = c + v * LANES + l;
                    *to = (beta == 0 ? 0 : beta * *to) + alpha * sum[r][v][l];
                }
            }
        }
}

extern "C" void multiply(int64_t rows, int64_t cols, int64_t inner, const T *a, int64_t a_down,
                         int64_t a_right, const T *b, int64_t b_down, int64_t b_right, T *c,
                         int64_t c_down, T alpha, T beta) {
    alignas(64) static thread_local T panel[DEEP * COLS];
    Matrix left = {a, a_down, a_right}, right = {b, b_down, b_right};
    for (int64_t k = 0; k < inner; k += DEEP, beta = 1) {
        int deep = std::min<int64_t>(DEEP, inner - k);
        for (int64_t top = 0; top < rows; top += TALL) {
            int64_t bottom = std::min(rows, top + TALL);
            for (int64_t j = 0; j < cols; j += COLS) {
                int wide = std::min<int64_t>(COLS, cols - j);
                pack(right, k, j, deep, wide, panel);
                for (int64_t i = top; i < bottom; i += ROWS) {
                    int tall = std::min<int64_t>(ROWS, bottom - i);
                    T *to = c + i * c_down + j;
                    if (wide > 2 * LANES)
                        block<3>(left, i, k, tall, deep, panel, wide, to, c_down, alpha, beta);
                    else if (wide > LANES)
                        block<2>(left, i, k, tall, deep, panel, wide, to, c_down, alpha, beta);
                    else
                        block<1>(left, i, k, tall, deep, panel, wide, to, c_down, alpha, beta);
                }
            }
        }
    }
}

struct Operation {  // a product, or the operation on each entry that ``inner`` names
    int64_t rows, cols, inner;
    const T *a;
    int64_t a_down, a_right;
    const T *b;
    int64_t b_down, b_right;
    T *c;
    int64_t c_down;
};
// ADD is c += alpha a, MASK is c = a c + b, SQUARE is *c = sum of a a; all arrays are contiguous.
static const int64_t ADD = 0, MASK = -1, SQUARE = -2;

static T square(const T *a, int64_t size) {
    Vector sum[4] = {};
    int64_t i = 0;
    for (; i + 4 * LANES <= size; i += 4 * LANES)
        for (int v = 0; v < 4; v++) {
            Vector part = *(const Anywhere *)(a + i + v * LANES);
            sum[v] += part * part;
        }
    Vector all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    T total = 0;
    for (int l = 0; l < LANES; l++) total += all[l];
    for (; i < size; i++) total += a[i] * a[i];
    return total;
}

extern "C" void replay(int64_t count, int64_t length, const Operation *operations, const T *alpha,
                       const T *beta) {
    for (int64_t step = 0; step < count; step++)
        for (int64_t k = 0; k < length; k++) {
            const Operation &o = operations[k];
            int64_t size = o.rows * o.cols;
            if (o.inner == ADD)
                for (int64_t i = 0; i < size; i++) o.c[i] += alpha[k] * o.a[i];
            else if (o.inner == MASK)
                for (int64_t i = 0; i < size; i++) o.c[i] = o.a[i] * o.c[i] + o.b[i];
            else if (o.inner == SQUARE)
                *o.c = square(o.a, size);
            else
                multiply(o.rows, o.cols, o.inner, o.a, o.a_down, o.a_right, o.b, o.b_down,
                         o.b_right, o.c, o.c_down, alpha[k], beta[k]);
        }
}
