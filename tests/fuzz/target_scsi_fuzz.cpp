// libFuzzer: SCSI command PDUs against a logical unit in memory, two nexuses taking turns: headers, CDBs, parameter
// lists. Checked: no crash, no answer larger than the initiator's buffer, data within their buffer, and every command
// ends or says that it will.
#include <cstdlib>

#include "testbed/target/pdu.hpp"
#include "testbed/target/scsi/dispatch.hpp"

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
    if (wanted > kMaxTransferBytes) std::abort();
    if (wanted > data.size()) return;  // the transport would wait for the rest
    c.data_out = data.first(wanted);
    execute(c);
    if (!c.finished && !c.deferred) std::abort();
  }
  if (c.data_in_bytes > c.expected_bytes || c.data_in_bytes > c.data_in.capacity()) std::abort();
  if (c.status == Status::check_condition && encode(c.sense, unit.descriptor_sense).size() > 252) std::abort();
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

}  // namespace
}  // namespace pnfs::target::scsi

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pnfs::target::scsi::run({data, size});
  return 0;
}
