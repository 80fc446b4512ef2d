// A server with a service that does a bit of everything, a client, and a peer that speaks in bytes.
#pragma once

#include "common/rpc/connection.hpp"

#include <gtest/gtest.h>

#include "common/fault/injector.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/rpc/client.hpp"
#include "common/rpc/server.hpp"
#include "common/rpc/trace_observer.hpp"

namespace pnfs::rpc {

using namespace std::chrono_literals;
using io::Task;

constexpr uint32_t kProgram = 400100;
enum Procedure : uint32_t { kEcho = 1, kSleep = 2, kSilent = 3, kNothing = 4, kCallBack = 5, kBig = 6, kWho = 7 };

inline io::Endpoint at(const char* text) {
  return *io::parse_endpoint(text);
}

struct Log final : Observer {
  std::vector<std::string> closed_reasons;
  std::vector<std::string> troubles;
  size_t writes = 0;
  void closed(const Connection&, std::string_view reason) override { closed_reasons.emplace_back(reason); }
  void trouble(const io::Endpoint&, std::string_view reason) override { troubles.emplace_back(reason); }
};

struct TestService final : Service {
  explicit TestService(io::TimerQueue& timers) : timers(timers) {}
  uint32_t program() const override { return kProgram; }
  uint32_t lowest_version() const override { return 2; }
  uint32_t highest_version() const override { return 3; }

  Task<void> handle(Request& request) override {
    ++running;
    most = std::max(most, running);
    struct Leave {
      int& running;
      ~Leave() { --running; }
    } leave{running};
    switch (request.procedure()) {
      case kEcho: {
        std::span<const std::byte> bytes;
        if (request.args().variable(xdr::kNoLimit, bytes)) {
          request.begin_reply().variable(bytes);
        } else {
          request.reply_error(GARBAGE_ARGS);
        }
        break;
      }
      case kSleep: {
        uint32_t milliseconds = 0;
        request.args().u32(milliseconds);
        co_await timers.sleep(std::chrono::milliseconds(milliseconds));
        request.begin_reply().u32(milliseconds);
        ++slept;
        break;
      }
      case kSilent:
        request.drop();
        break;
      case kNothing:
        break;
      case kCallBack: {
        auto call = std::make_unique<Call>(kProgram, 2, kEcho, Credential{});
        call->args().variable(std::as_bytes(std::span("back", 4)));
        auto reply = co_await request.connection()->call(std::move(call), 5s);
        request.begin_reply().u32(reply ? 1 : 0);
        break;
      }
      case kBig: {
        auto data = std::make_shared<std::vector<std::byte>>(1 << 20, std::byte{0x5a});
        request.begin_reply().variable(*data);
        held = data;
        request.hold(std::move(data));
        break;
      }
      case kWho:
        request.hold_behind(behind);
        request.duplicate(duplicate);
        request.begin_reply().u32(request.credential().uid);
        break;
      default:
        request.reply_error(PROC_UNAVAIL);
    }
  }

  io::TimerQueue& timers;
  uint32_t behind = 0;
  uint32_t duplicate = 0;
  int running = 0;
  int most = 0;
  int slept = 0;
  std::weak_ptr<std::vector<std::byte>> held;
};

struct ConnectionTest : ::testing::Test {
  io::Simulation sim{3};
  io::MemoryNetwork net{sim.timers(), sim.random()};
  io::Network& near = net.add_node("client", {at("10.0.0.1:0").address()});
  io::Network& far = net.add_node("server", {at("10.0.0.2:0").address()});
  TestService service{sim.timers()};
  TestService back_service{sim.timers()};
  Log log;
  Limits limits = [] {
    Limits l;
    l.max_in_flight = 8;
    l.max_connections = 4;
    return l;
  }();
  Server server{far, sim.timers(), limits, &log};
  Client client{near, sim.timers()};

  void SetUp() override {
    server.add_service(service);
    client.add_service(back_service);
    ASSERT_TRUE(server.listen(at("10.0.0.2:2049")));
  }
  void TearDown() override {
    sim.run(client.stop());
    sim.run(server.stop());
  }

  std::shared_ptr<Connection> connect() { return *sim.run(client.connect(at("10.0.0.2:2049"), 5s)); }

  static std::unique_ptr<Call> make(Procedure procedure, uint32_t version = 2, uint32_t program = kProgram) {
    return std::make_unique<Call>(program, version, procedure, Credential::sys(1000, 1000));
  }
  Result<std::unique_ptr<Reply>> call(Connection& connection, std::unique_ptr<Call> call, Duration timeout = 10s) {
    return sim.run(connection.call(std::move(call), timeout));
  }

  // ---- a peer that speaks in bytes ----
  std::unique_ptr<io::Stream> raw() { return *sim.run(near.connect(at("10.0.0.2:2049"))); }
  void send(io::Stream& stream, std::span<const std::byte> bytes) {
    auto write = [](io::Stream& s, io::ConstBytes piece) -> Task<void> { co_await s.write(std::span(&piece, 1)); };
    sim.run(write(stream, bytes));
  }
  // What the server answers, up to its end or `bytes`.
  std::vector<std::byte> receive(io::Stream& stream, size_t bytes) {
    std::vector<std::byte> got(bytes);
    auto read = [](io::Stream& s, std::vector<std::byte>& into) -> Task<void> {
      size_t have = 0;
      while (have < into.size()) {
        auto n = co_await s.read_some(std::span(into).subspan(have));
        if (!n) break;
        have += *n;
      }
      into.resize(have);
    };
    sim.run(read(stream, got));
    return got;
  }
  static std::vector<std::byte> words(std::initializer_list<uint32_t> list) {
    std::vector<std::byte> out;
    for (uint32_t word : list)
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(word >> shift));
    return out;
  }
  // xid, CALL, RPC 2, program, version, procedure, AUTH_NONE twice, no arguments
  static std::vector<std::byte> null_call(uint32_t xid) { return words({xid, 0, 2, kProgram, 2, 0, 0, 0, 0, 0}); }
};

}  // namespace pnfs::rpc
