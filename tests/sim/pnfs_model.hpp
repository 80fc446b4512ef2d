// What a reader of shared files may see, whatever failed: the model that the pNFS simulation is held against. Plain data,
// no cluster: it is told what clients asked for and were answered, and when the device lost its cache.
//
// A file is cells of 256 bytes (two in each block of the device, so that partial blocks are rewritten). A write puts its
// number into every cell; a truncation is a write of zeros to all cells behind it. For each cell:
//  - a write that was answered hides all that had ended before it began;
//  - it hides them for good once it is stable; until then a device that loses its cache may bring them back;
//  - a write that was never answered may be there or not; until it is certainly dead it may still arrive.
// What a read returns must have been possible at some moment between its call and its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace pnfs::cluster {

class DataModel {
 public:
  using WriteId = uint32_t;  // 0: the zeros that every cell begins with
  using FileNo = uint32_t;   // from 1; a name that is removed and made again is another file
  using ReadId = uint32_t;
  static constexpr uint64_t kCellBytes = 256;
  static constexpr uint32_t kCells = 96;
  // The first cells are the start of the file, the rest lies a megabyte behind: beyond what an allocation gives at once.
  static constexpr uint32_t kFarCell = 64;
  static uint64_t offset_of(uint32_t cell) { return cell * kCellBytes + (cell >= kFarCell ? 1u << 20 : 0); }
  // Cells that lie side by side from here on.
  static uint32_t run_from(uint32_t cell) { return (cell < kFarCell ? kFarCell : kCells) - cell; }

  FileNo add_file();

  // ---- writes. `durable`: DATA_SYNC or FILE_SYNC was asked for and answered.
  WriteId begin_write(FileNo file, uint32_t cell, uint32_t count);
  static std::vector<std::byte> content(FileNo file, WriteId write, uint32_t cell, uint32_t count);
  void answered(WriteId write, bool durable);
  // From now on it cannot arrive any more; an answer may still come.
  void fenced(WriteId write);
  // It failed, or nobody will hear of it, and it cannot arrive any more.
  void dead(WriteId write);
  // A COMMIT that began after the answer had the write's verifier.
  void committed(WriteId write);
  WriteId begin_truncate(FileNo file, uint32_t cells);
  // FILE_SYNC, a write at the MDS or a LAYOUTCOMMIT that began at `since` was answered: the file ends at this cell or
  // later, unless a truncation came between.
  void at_least(FileNo file, uint32_t cells, uint64_t since);
  uint64_t now() const { return now_; }

  // The device lost its cache.
  void cache_lost();

  // ---- reads. "" or what is wrong with the answer, which may be shorter than asked for.
  ReadId begin_read(FileNo file, uint32_t cell, uint32_t count);
  // Of the first `cells` of what was asked for.
  std::string end_read(ReadId read, std::span<const std::byte> bytes, uint32_t cells);
  void drop_read(ReadId read) { reads_.erase(read); }

 private:
  static constexpr uint64_t kFlying = UINT64_MAX;
  struct Write {
    FileNo file = 0;
    uint32_t cell = 0, count = 0;
    uint64_t begin = 0;
    uint64_t end = kFlying;  // the last moment it can have arrived
    bool answered = false;   // what it hides is hidden
    bool stable = false;
    bool zeros = false;
    bool over_crash = false;  // the device lost its cache while it was on its way
  };
  struct File {
    std::vector<std::set<WriteId>> cells;
    uint32_t at_least = 0;
    uint32_t truncating = 0;
    uint64_t truncated = 0;
  };
  struct Read {
    FileNo file = 0;
    uint32_t cell = 0, count = 0;
    uint32_t at_least = 0;
    std::vector<std::set<WriteId>> allowed;
  };
  WriteId begin(FileNo file, uint32_t cell, uint32_t count, bool zeros);
  void end(WriteId write);
  bool hides(const Write& newer, const Write& older) const { return newer.answered && newer.begin > older.end; }
  std::set<WriteId> visible(const File& file, uint32_t cell) const;
  void settle(const Write& write);
  void widen(Read& read) const;
  std::string judge(const Read& read, uint32_t cell, std::span<const std::byte> bytes) const;

  std::vector<Write> writes_{Write{.end = 0, .answered = true, .stable = true, .zeros = true}};
  std::set<WriteId> open_;  // not stable, or on its way
  std::vector<File> files_{File{}};
  std::map<ReadId, Read> reads_;
  ReadId next_read_ = 1;
  uint64_t now_ = 1;
};

}  // namespace pnfs::cluster
