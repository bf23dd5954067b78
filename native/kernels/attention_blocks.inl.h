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

// `keys` without the columns at both ends that are empty for all rows.
static key_range live_range(const block_map& map, const block_rows& rows, key_range keys) {
  if (!map.codes) return keys;
  while (keys.begin < keys.end && !live_column(map, rows, keys.begin / block_keys))
    keys.begin = min_of(keys.end, (keys.begin / block_keys + 1) * block_keys);
  while (keys.begin < keys.end && !live_column(map, rows, (keys.end - 1) / block_keys))
    keys.end = max_of(keys.begin, (keys.end - 1) / block_keys * block_keys);
  return keys;
}

// The rows without those at both ends that attend to none of `keys`; last < first when there is none.
static block_rows live_rows(const block_map& map, block_rows rows, key_range keys) {
  if (!map.codes) return rows;
  const auto dead = [&](i64 i) {
    const key_range live = live_range(map, {rows.b, rows.h0, rows.h1, i, i}, keys);
    return live.begin >= live.end;
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

// What the map says of one row for keys from j to the end of j's block.
struct block_cells {
  int code;
  const u8* pattern;  // of key j on, or null where the block is not partial
  i64 stride, end;    // end: first key of the next block
};

static block_cells cells_of(const block_map& map, i64 b, i64 h, i64 i, i64 j) {
  block_cells cells{block_code(map, b, h, i / map.rows, j / block_keys), nullptr, 0, (j / block_keys + 1) * block_keys};
  if (cells.code < 0) return cells;
  const i64* step = map.patterns->stride;
  cells.pattern = static_cast<const u8*>(map.patterns->data) + cells.code * step[0] + i % map.rows * step[1] +
                  j % block_keys * step[2];
  cells.stride = step[2];
  return cells;
}

static bool block_allows(const block_map& map, i64 b, i64 h, i64 i, i64 j) {
  if (!map.codes) return true;
  const block_cells cells = cells_of(map, b, h, i, j);
  return cells.pattern ? *cells.pattern != 0 : cells.code == full_block;
}
