// SCSI command PDUs against a logical unit in memory, two nexuses taking turns: headers, CDBs, parameter
// lists. No answer is larger than the initiator's buffer, and every command ends or says that it will.
#include <algorithm>

#include "testbed/target/pdu.hpp"
#include "testbed/target/scsi/dispatch.hpp"
#include "tests/fuzz/target.hpp"

namespace pnfs::target::scsi {
namespace {

constexpr uint64_t kBytes = 1 << 20;

struct Nobody final : LogicalUnit::Observer {
  std::vector<Nexus> known;
  void abort_tasks(LogicalUnit&, NexusId) override {}
  void later(Duration, std::function<void()>) override {}
  Nexus nexus_for(const std::string& initiator, const std::array<uint8_t, 6>& isid) override {
    for (const Nexus& nexus : known) {
      if (nexus.initiator == initiator && nexus.isid == isid) return nexus;
    }
    return known.emplace_back(Nexus{static_cast<NexusId>(known.size() + 1), initiator, isid});
  }
};

void run_one(const Header& header, ConstBytes data, LogicalUnit& unit, const Nexus& nexus, BufferPool& pool) {
  static const std::vector<uint32_t> luns{0};
  Command c;
  std::copy_n(&header.raw[32], 16, c.cdb.begin());
  c.nexus = &nexus;
  c.pool = &pool;
  c.luns = &luns;
  c.expected_bytes = header.word(20);
  if (parse_lun(header.lun()) == 0) c.unit = &unit;
  admit(c);
  if (!c.finished) {
    const uint64_t wanted = c.takes_data ? std::min<uint64_t>(c.transfer_bytes, c.expected_bytes) : 0;
    FUZZ_CHECK(wanted <= kMaxTransferBytes);
    if (wanted > data.size()) return;  // the transport would wait for the rest
    c.data_out = data.first(wanted);
    execute(c);
    FUZZ_CHECK(c.finished || c.deferred);
  }
  FUZZ_CHECK(c.data_in_bytes <= c.expected_bytes && c.data_in_bytes <= c.data_in.capacity());
  FUZZ_CHECK(c.status != Status::check_condition || encode(c.sense, unit.descriptor_sense).size() <= 252);
}

void run(ConstBytes input) {
  Nobody observer;
  BufferPool pool;
  UnitConfig config;
  config.thin = true;
  config.removable = true;
  config.cache = CacheMode::volatile_memory;
  config.serial = config.scsi_id = "0123456789abcdef";
  config.target_name = "iqn.a:t";
  LogicalUnit unit(config, make_volatile_cache(make_memory(kBytes), kBytes / 2), &observer);
  const Nexus nexuses[2] = {observer.nexus_for("iqn.a:one", {1}), observer.nexus_for("iqn.a:two", {2})};
  for (const Nexus& nexus : nexuses) unit.nexus_started(nexus.id);
  for (int turn = 0; input.size() >= kHeaderBytes && turn < 64; ++turn) {
    Header header;
    std::copy_n(input.begin(), kHeaderBytes, header.raw.begin());
    input = input.subspan(kHeaderBytes);
    const size_t length = std::min<size_t>(header.data_bytes(), input.size());
    run_one(header, input.first(length), unit, nexuses[header.raw[2] & 1], pool);
    input = input.subspan(std::min(length + padding_of(static_cast<uint32_t>(length)), input.size()));
  }
}

void add_command(FuzzInput& to, std::vector<uint8_t> cdb, uint32_t expected, const std::vector<uint8_t>& data = {}) {
  Header header;
  header.set_opcode(Opcode::scsi_command, 0x80);
  header.set_data_bytes(static_cast<uint32_t>(data.size()));
  header.set_word(20, expected);
  std::ranges::copy(cdb, &header.raw[32]);
  for (const uint8_t byte : header.raw) to.push_back(static_cast<std::byte>(byte));
  for (const uint8_t byte : data) to.push_back(static_cast<std::byte>(byte));
  to.resize(to.size() + padding_of(static_cast<uint32_t>(data.size())));
}

FuzzInput seed(std::vector<uint8_t> cdb, uint32_t expected, const std::vector<uint8_t>& data = {}) {
  FuzzInput input;
  add_command(input, {0, 0, 0, 0, 0, 0}, 0);  // TEST UNIT READY meets the unit attention
  add_command(input, std::move(cdb), expected, data);
  return input;
}

}  // namespace
}  // namespace pnfs::target::scsi

std::vector<FuzzInput> fuzz_seeds() {
  using namespace pnfs::target::scsi;
  const std::vector<uint8_t> block(512, 0x41);
  std::vector<uint8_t> copy(76);  // one segment: 8 blocks from LBA 0 to LBA 8 of the same unit
  copy[3] = 0x20, copy[11] = 0x1c, copy[16] = 0xe4, copy[21] = 0x01, copy[22] = 0x03, copy[24] = 0x08;
  FuzzInput write_and_read = seed({0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 512, block);
  add_command(write_and_read, {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 512);
  FuzzInput reserve = seed({0x5f, 0, 0, 0, 0, 0, 0, 0, 24}, 24,
                           {0, 0, 0, 0, 0, 0, 0, 0, '1', '2', '3', '4', '5', '6', '7', '8', 0, 0, 0, 0, 0, 0, 0, 0});
  add_command(reserve, {0x5e, 3, 0, 0, 0, 0, 0, 1, 0}, 256);
  return {
      write_and_read,
      reserve,
      seed({0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 76}, 76, copy),
      seed({0x1a, 0, 0x3f, 0, 255}, 255),
      seed({0x15, 0x10, 0, 0, 16}, 16, {0, 0, 0, 0, 0x0a, 0x0a, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
      seed({0x42, 0, 0, 0, 0, 0, 0, 0, 24}, 24,
           {0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0}),
      seed({0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 1024, std::vector<uint8_t>(1024)),
      seed({0x93, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16}, 512, std::vector<uint8_t>(512)),
      seed({0x12, 1, 0x83, 0, 255}, 255),
      seed({0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 255, 255}, 65535),
  };
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pnfs::target::scsi::run({data, size});
  return 0;
}
