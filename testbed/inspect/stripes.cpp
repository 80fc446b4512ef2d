#include "testbed/inspect/stripes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pnfs::inspect {

namespace {

// How many stripe units lie before the first of the set's only index (dense).
uint64_t lead_of(const control::StripeSet& set) {
  return (set.indices.front() + set.count - set.first_index % set.count) % set.count;
}

}  // namespace

std::vector<StripeFile> stripe_files(const control::StripingRecord& record, uint64_t fileid) {
  std::vector<StripeFile> out;
  for (size_t server = 0; server < record.servers.size(); ++server) {
    const std::vector<uint32_t> indices = record.indices_of(server);
    if (!record.rules.dense) {
      out.push_back({record.servers[server].name, record.set_of(fileid, indices), false});
      continue;
    }
    for (const uint32_t index : indices) {
      const std::string& name = record.servers[server].name;
      out.push_back({indices.size() == 1 ? name : fmt::format("{}.{}", name, index), record.set_of(fileid, {index}), true});
    }
  }
  return out;
}

uint64_t StripeFile::size(uint64_t file_size) const {
  if (set.indices.empty()) return 0;  // a server without a stripe
  if (set.count == 1) return file_size;
  const uint64_t bytes = file_size - std::min(file_size, set.pattern_offset);
  const uint64_t whole = bytes / set.unit_bytes;
  const uint64_t rest = bytes % set.unit_bytes;
  if (dense) {
    const uint64_t lead = lead_of(set);
    const uint64_t units = whole > lead ? (whole - lead + set.count - 1) / set.count : 0;
    const bool has_rest = whole >= lead && (whole - lead) % set.count == 0;
    return units * set.unit_bytes + (has_rest ? rest : 0);
  }
  uint64_t end = file_size;
  for (uint64_t unit = rest == 0 ? whole : whole + 1; unit > 0; --unit) {
    const uint64_t begin = set.pattern_offset + (unit - 1) * set.unit_bytes;
    if (set.has_index(set.index_of(begin))) return end;
    end = begin;
  }
  return set.has_index(set.index_of(0)) ? end : 0;  // what lies before the pattern
}

uint64_t StripeFile::dense_to_file(uint64_t offset) const {
  const uint64_t unit = offset / set.unit_bytes * set.count + lead_of(set);
  return set.pattern_offset + unit * set.unit_bytes + offset % set.unit_bytes;
}

std::vector<StripeFile::Piece> StripeFile::map(uint64_t offset, uint64_t length) const {
  std::vector<Piece> out;
  const uint64_t end = offset + length;
  if (set.count == 1) return {{offset, length, offset, set.indices.empty()}};
  if (dense) {
    for (uint64_t at = offset; at < end;) {
      const uint64_t piece = std::min(end - at, set.unit_bytes - at % set.unit_bytes);
      out.push_back({at, piece, dense_to_file(at), false});
      at += piece;
    }
    return out;
  }
  uint64_t at = offset;
  auto fill_to = [&](uint64_t to) {
    if (at < to) out.push_back({at, to - at, at, true});
    at = std::max(at, to);
  };
  if (!set.indices.empty()) {
    set.for_each_run({offset, end}, [&](control::ByteRange run) {
      fill_to(run.offset);
      out.push_back({run.offset, run.length(), run.offset, false});
      at = run.end;
    });
  }
  fill_to(end);
  return out;
}

}  // namespace pnfs::inspect
