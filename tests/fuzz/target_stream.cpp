// The PDU parser of pnfs-target: the input is what an initiator sends after a login (with both digests or with none, as
// the first byte says), in pieces of odd sizes. The target must neither fail nor keep anything, and another session
// must work as before.
#include <algorithm>

#include <spdlog/spdlog.h>

#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "testbed/target/config.hpp"
#include "testbed/target/digest.hpp"
#include "testbed/target/pdu.hpp"
#include "tests/fuzz/target.hpp"

namespace pnfs::target {
namespace {

constexpr uint8_t kSync = 0x91, kRead16 = 0x88, kWrite16 = 0x8a;

std::vector<uint8_t> pdu(Header header, std::vector<uint8_t> data, bool digests) {
  header.set_data_bytes(static_cast<uint32_t>(data.size()));
  std::vector<uint8_t> out(header.raw.begin(), header.raw.end());
  const auto add_digest = [&](ConstBytes bytes) {
    out.resize(out.size() + 4);
    put_crc32c(&out[out.size() - 4], crc32c_add(crc32c_begin(), bytes));
  };
  if (digests) add_digest(header.raw);
  if (data.empty()) return out;
  data.resize(data.size() + padding_of(static_cast<uint32_t>(data.size())));
  out.insert(out.end(), data.begin(), data.end());
  if (digests) add_digest(data);
  return out;
}

std::vector<uint8_t> login(uint8_t isid, bool digests) {
  Header header;
  header.set_opcode(Opcode::login, 0x87);
  header.raw[0] |= 0x40;
  header.raw[8] = 0x80;
  header.raw[13] = isid;
  header.set_word(24, 1);
  std::string text =
      "InitiatorName=iqn.a:test TargetName=iqn.t:t ImmediateData=Yes InitialR2T=No FirstBurstLength=1024 "
      "MaxBurstLength=2048 MaxOutstandingR2T=2 ";
  if (digests) text += "HeaderDigest=CRC32C DataDigest=CRC32C ";
  std::ranges::replace(text, ' ', '\0');
  return pdu(header, {text.begin(), text.end()}, false);
}

Header command(uint8_t opcode, uint32_t sn, uint8_t flags, uint32_t expected, uint32_t blocks) {
  Header header;
  header.set_opcode(Opcode::scsi_command, flags);
  header.set_task_tag(sn);
  header.set_word(20, expected);
  header.set_word(24, sn);
  header.raw[32] = opcode;
  put32(&header.raw[32 + 10], blocks);
  return header;
}

io::Task<void> send(io::Stream& stream, ConstBytes bytes) {
  size_t piece = 1;
  while (!bytes.empty()) {
    const io::ConstBytes part = std::as_bytes(bytes.first(std::min(piece, bytes.size())));
    auto written = co_await stream.write(std::span(&part, 1));
    if (!written) co_return;
    bytes = bytes.subspan(part.size());
    piece = piece * 3 + 1;
  }
}

// Reads what the target answers, so that it can go on answering.
io::Task<void> drain(io::Stream& stream) {
  std::vector<std::byte> bytes(65536);
  for (;;) {
    auto got = co_await stream.read_some(bytes);
    if (!got) co_return;
  }
}

// A fresh session that asks whether the unit is ready gets an answer.
io::Task<bool> answers(io::Network& network, io::Endpoint at) {
  auto stream = co_await network.connect(at);
  if (!stream) co_return false;
  const auto request = login(99, false);
  co_await send(**stream, request);
  const auto ready = pdu(command(0, 1, 0x80, 0, 0), {}, false);
  co_await send(**stream, ready);
  std::vector<std::byte> login_head(kHeaderBytes);
  auto got = co_await io::read_exactly(**stream, login_head);
  if (!got) co_return false;
  Header header;
  std::memcpy(header.raw.data(), login_head.data(), kHeaderBytes);
  std::vector<std::byte> rest(header.data_bytes() + padding_of(header.data_bytes()) + kHeaderBytes);
  got = co_await io::read_exactly(**stream, rest);
  (*stream)->close();
  if (!got) co_return false;
  co_return static_cast<uint8_t>(rest[rest.size() - kHeaderBytes]) == static_cast<uint8_t>(Opcode::scsi_response);
}

struct World {
  io::Simulation sim{1};
  io::MemoryNetwork network{sim.timers(), sim.random()};
  io::Endpoint at{io::asio::ip::make_address("10.0.0.1"), 3260};
  io::Network& far = network.add_node("target", {io::asio::ip::make_address("10.0.0.1")});
  io::Network& near = network.add_node("client", {io::asio::ip::make_address("10.0.0.2")});
  Server server{sim.timers(), sim.random(), {}};

  World() {
    Config config;
    TargetSpec target;
    target.config.rules.name = "iqn.t:t";
    target.config.queue_depth = 8;
    UnitSpec unit;
    unit.type = UnitSpec::Type::memory;
    unit.size_bytes = 1 << 20;
    unit.unit.thin = true;
    target.units.push_back(unit);
    config.targets.push_back(std::move(target));
    FUZZ_CHECK(build(server, std::move(config)));
    server.serve(far.listen(at).value());
  }
};

void run(ConstBytes input) {
  spdlog::set_level(spdlog::level::off);  // every refusal is told
  World world;
  io::Simulation& sim = world.sim;
  {
    const auto stream = sim.run(world.near.connect(world.at));
    FUZZ_CHECK(stream);
    boost::asio::co_spawn(sim.context(), drain(**stream), boost::asio::detached);
    const bool digests = !input.empty() && (input[0] & 1);
    const auto request = login(1, digests);
    sim.run(send(**stream, request));
    sim.run_for(std::chrono::milliseconds(10));
    sim.run(send(**stream, input.empty() ? input : input.subspan(1)));
    sim.run_for(std::chrono::milliseconds(10));
    FUZZ_CHECK(sim.run(answers(world.near, world.at)));
    (*stream)->close();
    sim.run_for(std::chrono::milliseconds(10));
    FUZZ_CHECK(world.server.session_view().find("sid:") == std::string::npos);
  }
  sim.run(world.server.stop());
  sim.run_for(std::chrono::seconds(1));
}

void add(FuzzInput& to, const std::vector<uint8_t>& bytes) {
  for (const uint8_t byte : bytes) to.push_back(static_cast<std::byte>(byte));
}

// Unit attention, a write with immediate and unsolicited data and one that waits for R2T, a read, and control PDUs.
FuzzInput seed(bool digests) {
  FuzzInput input{static_cast<std::byte>(digests)};
  uint32_t sn = 1;
  add(input, pdu(command(0, sn++, 0x80, 0, 0), {}, digests));
  add(input, pdu(command(kWrite16, sn++, 0xa0, 512, 1), std::vector<uint8_t>(512, 7), digests));
  const uint32_t open = sn++;
  add(input, pdu(command(kWrite16, open, 0x20, 4096, 8), {}, digests));
  for (const uint32_t part : {0u, 1u}) {
    Header data;
    data.set_opcode(Opcode::data_out, part == 1 ? 0x80 : 0);
    data.set_task_tag(open);
    data.set_transfer_tag(kReservedTag);
    data.set_word(36, part);
    data.set_word(40, part * 512);
    add(input, pdu(data, std::vector<uint8_t>(512, 8), digests));
  }
  add(input, pdu(command(kRead16, sn++, 0xc0, 2048, 4), {}, digests));
  add(input, pdu(command(kSync, sn++, 0x80, 0, 0), {}, digests));
  for (const Opcode opcode : {Opcode::nop_out, Opcode::text, Opcode::task_management, Opcode::logout}) {
    Header control;
    control.set_opcode(opcode, opcode == Opcode::task_management ? 0x81 : 0x80);
    control.set_task_tag(100 + sn);
    control.set_transfer_tag(kReservedTag);
    control.set_word(24, sn++);
    std::vector<uint8_t> data;
    if (opcode == Opcode::text) data = {'S', 'e', 'n', 'd', 'T', 'a', 'r', 'g', 'e', 't', 's', '=', 'A', 'l', 'l', 0};
    add(input, pdu(control, std::move(data), digests));
  }
  return input;
}

}  // namespace
}  // namespace pnfs::target

std::vector<FuzzInput> fuzz_seeds() {
  return {pnfs::target::seed(false), pnfs::target::seed(true)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pnfs::target::run({data, size});
  return 0;
}
