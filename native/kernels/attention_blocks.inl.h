// A mask as a map of blocks: one code for each block of queries and of 64 keys, and the patterns of the partial blocks. What
// is empty costs nothing, what is full costs what it costs without a mask. Made by src/attention/blockMap.ts; used by
// attention_problem.inl.h (backward, transposed) and attention_softmax.inl.h (forward).
#pragma once

constexpr i64 block_keys = 64;
constexpr int empty_block = -1, full_block = -2;  // from 0 on: the number of a pattern

struct key_range {
  i64 begin, end;
};

struct block_map {
  const view* codes;     // [B,H,X,Y], or null when there is no map
  const view* patterns;  // [N,R,64], 0 forbids
  i64 rows;              // R, the queries of a block
};

static block_map read_blocks(const call& c, int codes, int patterns) {
  block_map map{};
  if (!c.operand[codes].data) return map;
  map.codes = &c.operand[codes], map.patterns = &c.operand[patterns], map.rows = map.patterns->size[1];
  return map;
}

KEYHOLE_INLINE int block_code(const block_map& map, i64 b, i64 h, i64 row, i64 column) {
  const i64* step = map.codes->stride;
  return static_cast<const int*>(map.codes->data)[b * step[0] + h * step[1] + row * step[2] + column * step[3]];
}

// Every block of the map is there, and every code names something. An axis that is repeated is looked at once.
static int check_blocks(const call& c, int codes, int patterns, i64 L, i64 S) {
  if (!c.operand[codes].data != !c.operand[patterns].data) return too_few_blocks;
  const block_map map = read_blocks(c, codes, patterns);
  if (!map.codes) return ok;
  i64 size[4];
  for (int axis = 0; axis < 4; axis++)
    size[axis] = map.codes->stride[axis] == 0 ? min_of(1, map.codes->size[axis]) : map.codes->size[axis];
  if (map.rows == 0 || map.codes->size[2] < (L + map.rows - 1) / map.rows) return too_few_blocks;
  if (map.codes->size[3] < (S + block_keys - 1) / block_keys) return too_few_blocks;
  for (i64 b = 0; b < size[0]; b++)
    for (i64 h = 0; h < size[1]; h++)
      for (i64 row = 0; row < size[2]; row++)
        for (i64 column = 0; column < size[3]; column++) {
          const int code = block_code(map, b, h, row, column);
          if (code < full_block || code >= map.patterns->size[0]) return index_out_of_range;
        }
  return ok;
}

// Query rows first … last of heads h0 … h1-1 of a sequence.
struct block_rows {
  i64 b, h0, h1, first, last;
};

// Whether one of the rows may attend to keys of a column of blocks.
static bool live_column(const block_map& map, const block_rows& rows, i64 column) {
  const i64 heads = map.codes->stride[1] == 0 ? rows.h0 + 1 : rows.h1;
  for (i64 h = rows.h0; h < heads; h++)
    for (i64 row = rows.first / map.rows; row <= rows.last / map.rows; row++)
      if (block_code(map, rows.b, h, row, column) != empty_block) return true;
  return false;
}

// Which eighths of a column of blocks hold a key that one of the rows may attend, bit by bit; all where that is not known.
static unsigned live_eighths(const block_map& map, const block_rows& rows, i64 column) {
  using word = unsigned long long;
  const i64* step = map.patterns->stride;
  const i64 heads = map.codes->stride[1] == 0 ? rows.h0 + 1 : rows.h1;
  word any[8] = {};
  for (i64 h = rows.h0; h < heads; h++)
    for (i64 i = rows.first, end; i <= rows.last; i = end) {
      end = min_of(rows.last + 1, (i / map.rows + 1) * map.rows);
      const int code = block_code(map, rows.b, h, i / map.rows, column);
      if (code == full_block || (code >= 0 && step[2] != 1)) return 255;
      const u8* pattern = static_cast<const u8*>(map.patterns->data) + max_of(0, code) * step[0];
      for (i64 x = i; x < end && code >= 0; x++)
        for (int part = 0; part < 8; part++) {
          word cells;
          __builtin_memcpy(&cells, pattern + x % map.rows * step[1] + part * 8, 8);
          any[part] |= cells;
        }
    }
  unsigned live = 0;
  for (int part = 0; part < 8; part++) live |= (any[part] != 0) << part;
  return live;
}

// `keys` without those at both ends that no row may attend, in eighths of blocks.
static key_range live_range(const block_map& map, const block_rows& rows, key_range keys) {
  if (!map.codes) return keys;
  while (keys.begin < keys.end) {
    const i64 column = keys.begin / block_keys;
    const unsigned live = live_eighths(map, rows, column);
    const i64 first = column * block_keys + (live ? __builtin_ctz(live) * 8 : block_keys);
    keys.begin = min_of(keys.end, max_of(keys.begin, first));
    if (live) break;
  }
  while (keys.begin < keys.end) {
    const i64 column = (keys.end - 1) / block_keys;
    const unsigned live = live_eighths(map, rows, column);
    const i64 past = column * block_keys + (live ? (32 - __builtin_clz(live)) * 8 : 0);
    keys.end = max_of(keys.begin, min_of(keys.end, past));
    if (live) break;
  }
  return keys;
}

// The rows without the blocks at both ends that attend to none of `keys`; last < first when none is left.
static block_rows live_rows(const block_map& map, block_rows rows, key_range keys) {
  if (!map.codes) return rows;
  const auto dead = [&](i64 i) {
    for (i64 column = keys.begin / block_keys; column * block_keys < keys.end; column++)
      if (live_column(map, {rows.b, rows.h0, rows.h1, i, i}, column)) return false;
    return true;
  };
  while (rows.first <= rows.last && dead(rows.first)) rows.first = (rows.first / map.rows + 1) * map.rows;
  while (rows.first <= rows.last && dead(rows.last)) rows.last = rows.last / map.rows * map.rows - 1;
  return rows;
}

// Runs of keys between columns that are empty for all rows. A tile of 256 keys has at most two.
struct live_runs {
  int count;
  key_range run[2];
};

// The runs of a tile's keys [begin, end), counted from key j0; one run when there is no map.
static live_runs runs_in_tile(const block_map& map, const block_rows& rows, i64 j0, i64 begin, i64 end) {
  live_runs runs{1, {{begin, end}}};
  if (!map.codes) return runs;
  runs.count = 0;
  bool live = false;
  for (i64 j = begin; j < end; j = (j0 + j) / block_keys * block_keys + block_keys - j0) {
    const bool before = live;
    live = live_column(map, rows, (j0 + j) / block_keys);
    if (live && !before) runs.run[runs.count++].begin = j;
    if (live) runs.run[runs.count - 1].end = min_of(end, (j0 + j) / block_keys * block_keys + block_keys - j0);
  }
  return runs;
}

// One row of the map: of query i of a head.
struct mapped_row {
  const int* codes;  // of its blocks
  const u8* pattern;  // row i mod R of pattern 0
  i64 step, pattern_step, cell_step;
};

static mapped_row mapped_row_of(const block_map& map, i64 b, i64 h, i64 i) {
  const i64 *code = map.codes->stride, *cell = map.patterns->stride;
  const i64 row = i / map.rows, within = i - row * map.rows;
  return {static_cast<const int*>(map.codes->data) + b * code[0] + h * code[1] + row * code[2],
          static_cast<const u8*>(map.patterns->data) + within * cell[1], code[3], cell[0], cell[2]};
}

// What the map says of a row for keys from j to the end of j's block.
struct block_cells {
  int code;
  const u8* pattern;  // of key j on, or null where the block is not partial
  i64 stride, end;    // end: first key of the next block
};

KEYHOLE_INLINE block_cells cells_of(const mapped_row& row, i64 j) {
  const i64 column = j / block_keys;
  block_cells cells{row.codes[column * row.step], nullptr, row.cell_step, (column + 1) * block_keys};
  if (cells.code >= 0) cells.pattern = row.pattern + cells.code * row.pattern_step + j % block_keys * row.cell_step;
  return cells;
}

static bool block_allows(const block_map& map, i64 b, i64 h, i64 i, i64 j) {
  if (!map.codes) return true;
  const block_cells cells = cells_of(mapped_row_of(map, b, h, i), j);
  return cells.pattern ? *cells.pattern != 0 : cells.code == full_block;
}
