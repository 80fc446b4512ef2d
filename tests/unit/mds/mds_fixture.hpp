// A metadata server on a memory LUN and a memory network, on virtual time, and built-in clients to ask it.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "common/block/memory_block_store.hpp"
#include "common/compound/allowed_errors.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/volume/volume.hpp"
#include "mds/mds.hpp"
#include "testbed/client/file_system.hpp"

namespace pnfs::mds {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

#define ASSERT_DONE(expression)                                               \
  do {                                                                        \
    const auto& outcome_ = (expression);                                      \
    ASSERT_TRUE(outcome_.has_value()) << client::to_string(outcome_.error()); \
  } while (false)
#define EXPECT_DONE(expression)                                               \
  do {                                                                        \
    const auto& outcome_ = (expression);                                      \
    EXPECT_TRUE(outcome_.has_value()) << client::to_string(outcome_.error()); \
  } while (false)
#define EXPECT_NFS(expected, expression)                                                   \
  do {                                                                                     \
    const auto& outcome_ = (expression);                                                   \
    EXPECT_FALSE(outcome_.has_value());                                                    \
    if (!outcome_.has_value()) {                                                           \
      EXPECT_EQ(outcome_.error().status, expected) << client::to_string(outcome_.error()); \
    }                                                                                      \
  } while (false)

struct MdsTest : ::testing::Test {
  io::Simulation sim{1};
  block::MemoryLun lun{{.bytes = 64ull << 20}};
  io::MemoryNetwork network{sim.timers(), sim.random()};
  io::Network& server_side = network.add_node("mds", {io::asio::ip::make_address("10.0.0.1")});
  io::Network& client_side = network.add_node("client", {io::asio::ip::make_address("10.0.0.2")});
  io::Endpoint at = *io::parse_endpoint("10.0.0.1:2049");
  Options options;
  std::unique_ptr<block::MemoryBlockStore> store;
  std::unique_ptr<Mds> mds;
  std::vector<std::unique_ptr<client::FileSystem>> clients;

  void SetUp() override {
    options.listen = {at};
    options.lease = std::chrono::seconds(10);
    block::MemoryBlockStore maker(sim.executor(), lun);
    auto made = sim.run(volume::mkfs(maker, {}, sim.random(), sim.clock()));
    ASSERT_TRUE(made.has_value()) << made.error().reason;
    start();
  }
  void TearDown() override {
    for (auto& each : clients) sim.run(each->stop());
    if (mds) stop();
    EXPECT_EQ(compound::errors_outside_table(), 0u) << "an operation returned what RFC 8881 15.2 does not list";
  }

  void start() {
    store = std::make_unique<block::MemoryBlockStore>(sim.executor(), lun);
    mds = std::make_unique<Mds>(options,
                                Seams{sim.executor(), sim.clock(), sim.timers(), sim.random(), server_side, *store});
    auto started = sim.run(mds->start());
    ASSERT_TRUE(started.has_value()) << started.error().reason;
  }
  void stop(Mds::How how = Mds::How::clean) {
    auto stopped = sim.run(mds->stop(how));
    EXPECT_TRUE(stopped.has_value()) << stopped.error().reason;
    mds.reset();
  }
  // The machine dies: what was not flushed is lost.
  void crash() {
    stop(Mds::How::crash);
    lun.crash(sim.random());
    lun.restart();
  }

  client::FileSystem& mount(std::string owner = "ann", uint32_t uid = 0) {
    client::Options how;
    how.owner = std::move(owner);
    how.uid = how.gid = uid;
    how.renew_every = std::chrono::seconds(3);
    clients.push_back(std::make_unique<client::FileSystem>(client_side, sim.timers(), sim.random(), how));
    EXPECT_DONE(sim.run(clients.back()->mount(at)));
    return *clients.back();
  }
  client::FilePtr create(client::FileSystem& fs, std::string path, uint32_t mode = 0644) {
    auto file = sim.run(fs.open(std::move(path), client::OpenHow::create_new(mode)));
    EXPECT_TRUE(file.has_value()) << client::to_string(file.error());
    return file ? *file : nullptr;
  }
  void write(client::FileSystem& fs, client::FilePtr file, uint64_t offset, std::string_view text,
             nfs::stable_how4 stable = nfs::FILE_SYNC4) {
    EXPECT_DONE(sim.run(fs.write(file, offset, bytes_of(text), stable)));
  }
  std::string read(client::FileSystem& fs, client::FilePtr file, uint64_t offset = 0, uint32_t count = 65536) {
    auto data = sim.run(fs.read(file, offset, count));
    EXPECT_TRUE(data.has_value()) << client::to_string(data.error());
    return data ? text_of(data->bytes) : "";
  }
};

}  // namespace pnfs::mds
