// EXTENDED COPY with a LID1 parameter list, and RECEIVE COPY RESULTS (SPC-4 6.3, 6.18): block to block copies inside
// one logical unit. Another unit as source or destination is not reachable: the copy would step around its
// reservations.
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

constexpr size_t kCopyListHeader = 16;
constexpr size_t kTargetDescriptor = 32;
constexpr uint16_t kMaxTargets = 2;
constexpr uint16_t kMaxSegments = 16;
constexpr uint32_t kMaxDescriptorBytes = 1024;
constexpr uint32_t kMaxSegmentBytes = 256u << 20;
constexpr uint8_t kIdentification = 0xe4;
constexpr uint8_t kBlockToBlock = 0x02;
constexpr uint8_t kBlockToBlockOffset = 0x0a;
constexpr size_t kMaxHeld = 32;

struct Segment {
  uint64_t from = 0;  // bytes
  uint64_t to = 0;
  uint64_t length = 0;
  uint16_t source = 0;
  uint16_t destination = 0;
};

struct Plan {
  std::vector<ConstBytes> targets;
  std::vector<Segment> segments;
};

// False when the command has been failed. SPC-4 6.3.1: lengths first, then counts, then types.
bool parse(Command& c, Plan& plan) {
  const ConstBytes data = c.data_out;
  const auto bad_length = [&] {
    c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
    return false;
  };
  if (data.size() < kCopyListHeader) return bad_length();
  const size_t target_bytes = get16(&data[2]);
  const size_t segment_bytes = get32(&data[8]);
  const size_t inline_bytes = get32(&data[12]);
  if (target_bytes + segment_bytes > kMaxDescriptorBytes || inline_bytes > 0) return bad_length();
  if (data.size() < kCopyListHeader + target_bytes + segment_bytes) return bad_length();
  if (target_bytes / kTargetDescriptor > kMaxTargets) {
    c.fail(SenseKey::illegal_request, Asc::too_many_target_descriptors);
    return false;
  }
  for (size_t at = 0; at + kTargetDescriptor <= target_bytes; at += kTargetDescriptor) {
    const ConstBytes descriptor = data.subspan(kCopyListHeader + at, kTargetDescriptor);
    if (descriptor[0] != kIdentification) {
      c.fail(SenseKey::illegal_request, Asc::unsupported_target_descriptor);
      return false;
    }
    plan.targets.push_back(descriptor);
  }
  ConstBytes rest = data.subspan(kCopyListHeader + target_bytes, segment_bytes);
  const uint64_t block = c.unit->block_bytes();
  while (rest.size() >= 4) {
    const uint8_t type = rest[0];
    const size_t length = 4 + size_t{get16(&rest[2])};
    if (type != kBlockToBlock && type != kBlockToBlockOffset) {
      c.fail(SenseKey::illegal_request, Asc::unsupported_segment_descriptor);
      return false;
    }
    if (length > rest.size() || length < (type == kBlockToBlock ? 28u : 32u)) return bad_length();
    if (plan.segments.size() == kMaxSegments) {
      c.fail(SenseKey::illegal_request, Asc::too_many_segment_descriptors);
      return false;
    }
    Segment s;
    s.source = get16(&rest[4]);
    s.destination = get16(&rest[6]);
    // An LBA so large that it overflows as bytes is as far out of range as one that does not.
    const auto bytes_of = [&](uint64_t lba) { return lba > c.unit->blocks() ? UINT64_MAX / 4 : lba * block; };
    s.from = bytes_of(get64(&rest[12]));
    s.to = bytes_of(get64(&rest[20]));
    if (type == kBlockToBlock) {
      s.length = get16(&rest[10]) * block;
    } else {
      s.length = get32(&rest[8]);
      s.from += get16(&rest[28]);
      s.to += get16(&rest[30]);
    }
    plan.segments.push_back(s);
    rest = rest.subspan(length);
  }
  return rest.empty() || bad_length();
}

bool is_us(const LogicalUnit& unit, ConstBytes descriptor) {
  const size_t length = std::min<size_t>(descriptor[7], 20);
  const ConstBytes name = descriptor.subspan(8, length);
  switch (descriptor[5] & 0x0f) {
    case 1:
      return std::ranges::equal(name, as_octets(unit.t10_id()));
    case 2:
      return std::ranges::equal(name, unit.eui64());
    case 3:
      return std::ranges::equal(name, unit.naa());
    default:
      return false;
  }
}

Result<void> move(Command& c, const Segment& s) {
  LogicalUnit& unit = *c.unit;
  constexpr uint64_t kPiece = 1u << 20;
  Buffer buffer = c.pool->take(std::min(kPiece, s.length));
  for (uint64_t done = 0; done < s.length;) {
    const Bytes piece(buffer.data(), std::min(kPiece, s.length - done));
    if (auto ok = unit.backing().read(s.from + done, piece); !ok) return ok;
    const uint64_t to = s.to + done;
    auto ok = unit.write_cache ? unit.backing().write(to, piece) : unit.backing().write_through(to, piece);
    if (!ok) return ok;
    done += piece.size();
  }
  return {};
}

void hold_outcome(Command& c, uint8_t list, const LogicalUnit::CopyOutcome& outcome) {
  auto& copies = c.unit->copies;
  if (copies.size() >= kMaxHeld) copies.erase(copies.begin());
  copies[{c.nexus->id, list}] = outcome;
}

}  // namespace

void check_extended_copy(Command& c) {
  const uint32_t length = get32(&c.cdb[10]);
  if (length == 0) return;  // SPC-4 6.3.1: nothing to do, not an error
  if (length > 65536) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  expect_parameters(c, length);
}

void execute_extended_copy(Command& c) {
  if (c.transfer_bytes == 0) return;
  Plan plan;
  if (!parse(c, plan)) return;
  LogicalUnit& unit = *c.unit;
  const uint8_t list = c.data_out[0];
  const bool keep = (c.data_out[1] >> 3 & 3) != 3;  // LIST ID USAGE 11b: no identifier, nothing held
  LogicalUnit::CopyOutcome outcome;
  outcome.status = 1;
  const uint64_t end = unit.blocks() * unit.block_bytes();
  for (const Segment& s : plan.segments) {
    const bool reachable = s.source < plan.targets.size() && s.destination < plan.targets.size() &&
                           is_us(unit, plan.targets[s.source]) && is_us(unit, plan.targets[s.destination]);
    const bool in_range = s.length <= kMaxSegmentBytes && s.from <= end && s.length <= end - s.from && s.to <= end &&
                          s.length <= end - s.to;
    const bool aligned = (s.from | s.to | s.length) % unit.block_bytes() == 0;
    if (!reachable) {
      c.fail(SenseKey::copy_aborted, Asc::copy_target_unreachable);
    } else if (!in_range || !aligned) {
      c.fail(SenseKey::copy_aborted, Asc::none);
    } else if (auto done = move(c, s); !done) {
      c.fail(SenseKey::copy_aborted, Asc::write_error);
    } else {
      ++outcome.segments;
      outcome.bytes += static_cast<uint32_t>(s.length);
      continue;
    }
    outcome.status = 2;
    break;
  }
  if (keep) hold_outcome(c, list, outcome);
}

void execute_receive_copy_results(Command& c) {
  const uint32_t allocation = get32(&c.cdb[10]);
  if ((c.cdb[1] & 0x1f) == 0) {  // COPY STATUS
    const auto it = c.unit->copies.find({c.nexus->id, c.cdb[2]});
    if (it == c.unit->copies.end()) return c.fail_field(2);
    std::array<uint8_t, 12> data{};
    put32(&data[0], 8);
    data[4] = it->second.status;
    put16(&data[5], it->second.segments);
    put32(&data[8], it->second.bytes);
    return c.reply(data, allocation);
  }
  std::array<uint8_t, 47> data{};  // OPERATING PARAMETERS
  put32(&data[0], data.size() - 4);
  data[4] = 1;  // SNLID: a list identifier is not needed
  put16(&data[8], kMaxTargets);
  put16(&data[10], kMaxSegments);
  put32(&data[12], kMaxDescriptorBytes);
  put32(&data[16], kMaxSegmentBytes);
  put16(&data[34], 1);  // one copy at a time
  data[36] = 1;
  data[37] = static_cast<uint8_t>(std::countr_zero(c.unit->block_bytes()));
  data[43] = 3;
  data[44] = kBlockToBlock;
  data[45] = kBlockToBlockOffset;
  data[46] = kIdentification;
  c.reply(data, allocation);
}

}  // namespace pnfs::target::scsi
