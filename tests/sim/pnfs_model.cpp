#include "tests/sim/pnfs_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

namespace pnfs::cluster {

namespace {

// Repeated through the cell, so that a cell of two writes is seen.
struct Stamp {
  uint32_t file = 0, write = 0, cell = 0, mark = 0;
  bool operator==(const Stamp&) const = default;
};
constexpr uint32_t kMark = 0x50ce115;

}  // namespace

DataModel::FileNo DataModel::add_file() {
  files_.push_back({});
  files_.back().cells.assign(kCells, {0});
  return static_cast<FileNo>(files_.size() - 1);
}

std::vector<std::byte> DataModel::content(FileNo file, WriteId write, uint32_t cell, uint32_t count) {
  std::vector<std::byte> bytes(count * kCellBytes);
  for (size_t at = 0; at < bytes.size(); at += sizeof(Stamp)) {
    const Stamp stamp{file, write, cell + static_cast<uint32_t>(at / kCellBytes), kMark};
    std::memcpy(bytes.data() + at, &stamp, sizeof(Stamp));
  }
  return bytes;
}

DataModel::WriteId DataModel::begin(FileNo file, uint32_t cell, uint32_t count, bool zeros) {
  const auto id = static_cast<WriteId>(writes_.size());
  writes_.push_back({.file = file, .cell = cell, .count = count, .begin = ++now_, .zeros = zeros});
  open_.insert(id);
  for (uint32_t i = cell; i < cell + count; ++i) files_[file].cells[i].insert(id);
  for (auto& [number, read] : reads_)
    if (read.file == file) widen(read);
  return id;
}

DataModel::WriteId DataModel::begin_write(FileNo file, uint32_t cell, uint32_t count) {
  return begin(file, cell, count, false);
}

DataModel::WriteId DataModel::begin_truncate(FileNo file, uint32_t cells) {
  File& f = files_[file];
  f.at_least = std::min(f.at_least, cells);
  ++f.truncating;
  for (auto& [number, read] : reads_)
    if (read.file == file) read.at_least = std::min(read.at_least, cells);
  return begin(file, cells, kCells - cells, true);
}

void DataModel::end(WriteId id) {
  Write& write = writes_[id];
  ++now_;
  if (write.zeros && files_[write.file].truncating > 0) {
    File& f = files_[write.file];
    --f.truncating;
    f.truncated = now_;
    f.at_least = std::min(f.at_least, write.cell);
  }
  write.end = std::min(write.end, now_);
}

void DataModel::answered(WriteId id, bool durable) {
  end(id);
  Write& write = writes_[id];
  // A truncation is metadata: its answer says that it is durable.
  write.stable = durable || write.zeros;
  write.answered = write.stable || !write.over_crash;
  if (write.stable) open_.erase(id);
  settle(write);
}

void DataModel::fenced(WriteId id) {
  Write& write = writes_[id];
  if (write.end == kFlying) write.end = ++now_;
}

void DataModel::dead(WriteId id) {
  end(id);
  open_.erase(id);
}

void DataModel::committed(WriteId id) {
  ++now_;
  Write& write = writes_[id];
  write.answered = write.stable = true;
  open_.erase(id);
  settle(write);
}

void DataModel::at_least(FileNo file, uint32_t cells, uint64_t since) {
  File& f = files_[file];
  if (f.truncating == 0 && f.truncated < since) f.at_least = std::max(f.at_least, cells);
}

void DataModel::cache_lost() {
  ++now_;
  for (const WriteId id : open_) {
    writes_[id].answered = false;
    writes_[id].over_crash = true;
  }
  for (auto& [number, read] : reads_) widen(read);
}

// What is hidden for good is forgotten.
void DataModel::settle(const Write& write) {
  for (uint32_t i = write.cell; i < write.cell + write.count; ++i) {
    auto& cell = files_[write.file].cells[i];
    std::erase_if(cell, [&](WriteId older) {
      return std::any_of(cell.begin(), cell.end(), [&](WriteId newer) {
        return writes_[newer].stable && hides(writes_[newer], writes_[older]);
      });
    });
  }
}

std::set<DataModel::WriteId> DataModel::visible(const File& file, uint32_t cell) const {
  std::set<WriteId> out;
  const auto& all = file.cells[cell];
  for (const WriteId older : all) {
    const bool hidden =
        std::any_of(all.begin(), all.end(), [&](WriteId newer) { return hides(writes_[newer], writes_[older]); });
    if (!hidden) out.insert(older);
  }
  return out;
}

void DataModel::widen(Read& read) const {
  for (uint32_t i = 0; i < read.count; ++i) read.allowed[i].merge(visible(files_[read.file], read.cell + i));
}

DataModel::ReadId DataModel::begin_read(FileNo file, uint32_t cell, uint32_t count) {
  ++now_;
  Read read{file, cell, count, files_[file].at_least, std::vector<std::set<WriteId>>(count)};
  widen(read);
  reads_.emplace(next_read_, std::move(read));
  return next_read_++;
}

std::string DataModel::judge(const Read& read, uint32_t index, std::span<const std::byte> bytes) const {
  const uint32_t cell = read.cell + index;
  const auto& allowed = read.allowed[index];
  const bool zeros_allowed =
      std::any_of(allowed.begin(), allowed.end(), [&](WriteId id) { return writes_[id].zeros; });
  const auto expected = [&] { return fmt::format("cell {} of file {} may hold {}", cell, read.file, fmt::join(allowed, ", ")); };
  if (bytes.empty()) {
    if (zeros_allowed || cell >= read.at_least) return "";
    return fmt::format("end of file where {}; the file has at least {} cells", expected(), read.at_least);
  }
  Stamp first;
  for (size_t at = 0; at < bytes.size(); at += sizeof(Stamp)) {
    Stamp stamp;
    std::memcpy(&stamp, bytes.data() + at, std::min(sizeof(Stamp), bytes.size() - at));
    if (at == 0) first = stamp;
    if (stamp != first) return fmt::format("two writes, {} and {}, inside one cell: {}", first.write, stamp.write, expected());
  }
  if (first == Stamp{}) return zeros_allowed ? "" : fmt::format("zeros where {}", expected());
  if (first.mark != kMark) return fmt::format("bytes that nobody wrote where {}", expected());
  if (first.file != read.file) return fmt::format("data of file {} where {}", first.file, expected());
  if (first.cell != cell) return fmt::format("data of cell {} where {}", first.cell, expected());
  if (!allowed.contains(first.write)) return fmt::format("write {} where {}", first.write, expected());
  return "";
}

std::string DataModel::end_read(ReadId id, std::span<const std::byte> bytes, uint32_t cells) {
  const Read read = std::move(reads_.at(id));
  reads_.erase(id);
  for (uint32_t i = 0; i < std::min(cells, read.count); ++i) {
    const size_t at = std::min<size_t>(i * kCellBytes, bytes.size());
    const auto part = bytes.subspan(at, std::min<size_t>(kCellBytes, bytes.size() - at));
    if (!part.empty() && part.size() != kCellBytes) return fmt::format("{} bytes of cell {}", part.size(), read.cell + i);
    if (std::string why = judge(read, i, part); !why.empty()) return why;
  }
  return "";
}

}  // namespace pnfs::cluster
