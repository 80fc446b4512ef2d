// A server that reads the input as a peer's bytes, in pieces of odd sizes. It must neither fail nor keep anything, and
// another connection must work as before.
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/rpc/client.hpp"
#include "common/rpc/server.hpp"
#include "tests/fuzz/target.hpp"

using namespace pnfs;

namespace {

struct Echo final : rpc::Service {
  uint32_t program() const override { return 100003; }
  uint32_t lowest_version() const override { return 4; }
  uint32_t highest_version() const override { return 4; }
  io::Task<void> handle(rpc::Request& request) override {
    std::span<const std::byte> bytes;
    if (request.args().variable(xdr::kNoLimit, bytes)) {
      request.begin_reply().variable(bytes);
    } else {
      request.reply_error(rpc::GARBAGE_ARGS);
    }
    co_return;
  }
};

FuzzInput record_of(const FuzzInput& body, bool two_fragments) {
  Arena arena;
  xdr::Encoder out(arena);
  const size_t first = two_fragments ? body.size() / 2 : body.size();
  out.u32(static_cast<uint32_t>(first) | (two_fragments ? 0 : 0x80000000u));
  out.raw(std::span(body).first(first));
  if (two_fragments) {
    out.u32(static_cast<uint32_t>(body.size() - first) | 0x80000000u);
    out.raw(std::span(body).subspan(first));
  }
  return out.flatten();
}

io::Task<void> send(io::Stream& stream, std::span<const std::byte> bytes) {
  size_t piece = 1;
  while (!bytes.empty()) {
    const io::ConstBytes part = bytes.first(std::min(piece, bytes.size()));
    auto written = co_await stream.write(std::span(&part, 1));
    if (!written) co_return;
    bytes = bytes.subspan(part.size());
    piece = piece * 3 + 1;
  }
}

io::Task<bool> echo_works(rpc::Connection& connection) {
  auto call = std::make_unique<rpc::Call>(100003, 4, 1, rpc::Credential{});
  call->args().variable(std::as_bytes(std::span("echo", 4)));
  auto reply = co_await connection.call(std::move(call), std::chrono::seconds(1));
  std::span<const std::byte> bytes;
  co_return reply && (*reply)->results().variable(4, bytes) && bytes.size() == 4;
}

}  // namespace

std::vector<FuzzInput> fuzz_seeds() {
  std::vector<FuzzInput> seeds;
  for (const uint32_t procedure : {0u, 1u, 9u}) {
    Arena arena;
    xdr::Encoder encoder(arena);
    rpc::encode_call(encoder, {7, 2, 100003, 4, procedure, rpc::Credential::sys(0, 0)});
    encoder.variable(std::as_bytes(std::span("some bytes", 10)));
    const FuzzInput body = encoder.flatten();
    for (const bool two : {false, true}) {
      FuzzInput one = record_of(body, two);
      FuzzInput twice = one;
      twice.insert(twice.end(), one.begin(), one.end());
      seeds.push_back(std::move(one));
      seeds.push_back(std::move(twice));
    }
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  io::Simulation sim;
  io::MemoryNetwork net(sim.timers(), sim.random());
  const io::Endpoint at = *io::parse_endpoint("10.0.0.2:2049");
  io::Network& near = net.add_node("a", {io::parse_endpoint("10.0.0.1:0")->address()});
  io::Network& far = net.add_node("b", {at.address()});
  Echo echo;
  rpc::Server server(far, sim.timers());
  rpc::Client client(near, sim.timers());
  server.add_service(echo);
  FUZZ_CHECK(server.listen(at));
  {
    const auto good = sim.run(client.connect(at, std::chrono::seconds(1)));
    FUZZ_CHECK(good);
    const auto stream = sim.run(near.connect(at));
    FUZZ_CHECK(stream);
    sim.run(send(**stream, {reinterpret_cast<const std::byte*>(data), size}));
    sim.run_for(std::chrono::milliseconds(10));
    FUZZ_CHECK(sim.run(echo_works(**good)));
    (*stream)->close();
    sim.run_for(std::chrono::milliseconds(10));
    FUZZ_CHECK(server.connections().size() == 1);
    FUZZ_CHECK(server.connections()[0]->in_flight() == 0);
  }
  sim.run(client.stop());
  sim.run(server.stop());
  return 0;
}
