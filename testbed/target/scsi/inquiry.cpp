// INQUIRY: standard data and vital product data (SPC-4 6.6, 7.8; SBC-3 6.6).
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

constexpr std::string_view kProduct = "VIRTUAL-DISK";
constexpr std::string_view kRevision = "0001";

std::vector<uint8_t> standard(const Command& c) {
  std::vector<uint8_t> data(96);
  data[0] = c.unit ? 0x00 : 0x7f;  // SPC-4 6.6.2: qualifier 3, type unknown: no unit here
  if (c.unit && c.unit->config().removable) data[1] = 0x80;
  data[2] = 6;         // SPC-4
  data[3] = 0x10 | 2;  // HiSup, response data format 2
  data[4] = 96 - 5;
  data[5] = 0x08;  // 3PC: EXTENDED COPY is there
  data[7] = 0x02;  // command queuing
  put_text(&data[8], 8, kVendor);
  put_text(&data[16], 16, kProduct);
  put_text(&data[32], 4, kRevision);
  // Version descriptors (SPC-4 table 143): SAM-5, SPC-4, SBC-3, iSCSI.
  constexpr std::array<uint16_t, 4> kVersions{0x00a0, 0x0460, 0x04c0, 0x0960};
  for (size_t i = 0; i < kVersions.size(); ++i) put16(&data[58 + 2 * i], kVersions[i]);
  return data;
}

void append_designator(std::vector<uint8_t>& page, uint8_t code_set, uint8_t type, ConstBytes value,
                       bool of_port = false) {
  page.push_back(static_cast<uint8_t>((of_port ? 0x50 : 0) | code_set));  // protocol 5: iSCSI
  page.push_back(static_cast<uint8_t>((of_port ? 0x90 : 0) | type));      // PIV and association: target port
  page.push_back(0);
  page.push_back(static_cast<uint8_t>(value.size()));
  page.insert(page.end(), value.begin(), value.end());
}

// Page 0x83 (SPC-4 7.8.6): T10 vendor id, NAA, EUI-64, target port group, target port name.
std::vector<uint8_t> identification(const LogicalUnit& unit) {
  std::vector<uint8_t> page(4);
  const std::string t10 = unit.t10_id();
  append_designator(page, 2, 1, as_octets(t10));
  append_designator(page, 1, 3, unit.naa());
  append_designator(page, 1, 2, unit.eui64());
  const std::array<uint8_t, 4> port{0, 0, 0, 1};
  append_designator(page, 1, 4, port, true);
  std::string name = unit.config().target_name + ",t,0x0001";
  name.resize((name.size() / 4 + 1) * 4);  // SPC-4 7.8.6.10: zero terminated, a multiple of four
  append_designator(page, 3, 8, as_octets(name), true);
  return page;
}

// Page 0x8F (SPC-4 7.8.17): which third-party copy commands there are.
std::vector<uint8_t> third_party_copy() {
  return {0, 0, 0, 0, 0, 1, 0, 8, 7, 0x83, 1, 0x00, 0x84, 2, 0x00, 0x03};
}

// Page 0xB0 (SBC-3 6.6.3 and, for the atomic fields, SBC-4).
std::vector<uint8_t> block_limits(const LogicalUnit& unit) {
  std::vector<uint8_t> page(64);
  const uint32_t block = unit.block_bytes();
  page[4] = unit.refuses_zero_write_same() ? 1 : 0;
  page[5] = static_cast<uint8_t>(kMaxCompareBlocks);
  put16(&page[6], std::max(1u, 4096 / block));  // optimal transfer length granularity
  put32(&page[8], kMaxTransferBytes / block);
  put32(&page[12], (1u << 20) / block);  // optimal
  if (unit.config().thin) {
    put32(&page[20], kMaxUnmapBlocks);
    put32(&page[24], kMaxUnmapDescriptors);
    put32(&page[28], std::max(1u, 4096 / block));  // optimal unmap granularity
    put32(&page[32], 0x80000000);                  // UGAVALID, alignment 0
  }
  put64(&page[36], 0);  // WRITE SAME: no limit
  put32(&page[44], kMaxAtomicBytes / block);
  put32(&page[48], 0);  // atomic alignment
  put32(&page[52], 0);  // atomic granularity
  put32(&page[56], 0);  // no atomic boundary
  put32(&page[60], 0);
  return page;
}

std::vector<uint8_t> characteristics() {
  std::vector<uint8_t> page(64);
  put16(&page[4], 1);  // not rotating
  page[7] = 0x50;      // WABEREQ, WACEREQ: after an erase, reads return zeros
  return page;
}

std::vector<uint8_t> provisioning(const LogicalUnit& unit) {
  std::vector<uint8_t> page(8);
  if (unit.config().thin) {
    page[5] = 0xe4;  // LBPU, LBPWS, LBPWS10, LBPRZ
    page[6] = 2;     // thin provisioned
  }
  return page;
}

constexpr std::array<uint8_t, 8> kVpdPages{0x00, 0x80, 0x83, 0x86, 0x8f, 0xb0, 0xb1, 0xb2};

// A page of given contents behind the header. (GCC 12 takes vector::insert after a fixed-size construction for an
// overflow.)
std::vector<uint8_t> page_of(ConstBytes contents) {
  std::vector<uint8_t> page(4 + contents.size());
  std::copy(contents.begin(), contents.end(), page.begin() + 4);
  return page;
}

std::optional<std::vector<uint8_t>> vital_page(const LogicalUnit& unit, uint8_t code) {
  std::vector<uint8_t> page;
  switch (code) {
    case 0x00:
      page = page_of(kVpdPages);
      break;
    case 0x80:
      page = page_of(as_octets(unit.config().serial));
      break;
    case 0x83:
      page = identification(unit);
      break;
    case 0x86:  // extended INQUIRY data (SPC-4 7.8.7)
      page.resize(64);
      page[5] = 0x07;  // simple, ordered and head-of-queue tasks
      page[6] = 0x01;  // V_SUP: there is a volatile cache
      break;
    case 0x8f:
      page = third_party_copy();
      break;
    case 0xb0:
      page = block_limits(unit);
      break;
    case 0xb1:
      page = characteristics();
      break;
    case 0xb2:
      page = provisioning(unit);
      break;
    default:
      return std::nullopt;
  }
  page[0] = 0;
  page[1] = code;
  put16(&page[2], static_cast<uint32_t>(page.size() - 4));
  return page;
}

}  // namespace

void execute_inquiry(Command& c) {
  const bool vital = c.cdb[1] & 1;
  const uint16_t allocation = get16(&c.cdb[3]);
  if (!vital) {
    if (c.cdb[2] != 0) return c.fail_field(2);
    return c.reply(standard(c), allocation);
  }
  if (!c.unit) return c.fail(SenseKey::illegal_request, Asc::lun_not_supported);
  const auto page = vital_page(*c.unit, c.cdb[2]);
  if (!page) return c.fail_field(2);
  c.reply(*page, allocation);
}

}  // namespace pnfs::target::scsi
