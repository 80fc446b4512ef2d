// What the simulated cluster tests share.
#pragma once

#include <gtest/gtest.h>

#include <iostream>

#include "common/compound/allowed_errors.hpp"
#include "testbed/cluster/cluster.hpp"

namespace pnfs::cluster {

using namespace std::chrono_literals;

inline std::vector<std::byte> pattern(size_t size, uint32_t salt = 1) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 2654435761u + i / 4096 * 7 + salt) >> 3);
  return bytes;
}

#define ASSERT_DONE(outcome)                                            \
  do {                                                                  \
    const auto& outcome_ = (outcome);                                   \
    ASSERT_TRUE(outcome_) << pnfs::client::to_string(outcome_.error()); \
  } while (0)

struct ClusterTest : ::testing::Test {
  std::unique_ptr<Cluster> made;
  client::FileSystem* fs = nullptr;

  // A failed test shows what happened last.
  void TearDown() override {
    EXPECT_EQ(compound::errors_outside_table(), 0u) << "an operation returned what RFC 8881 15.2 does not list";
    if (!HasFailure() || !made) return;
    const std::string all = made->trace().json_lines();
    size_t begin = all.size();
    for (int lines = 0; begin > 0 && lines < 30; ++lines) begin = all.rfind('\n', begin - 2) + 1;
    std::cerr << "the end of the trace:\n" << all.substr(begin);
  }

  Cluster& cluster() { return *made; }
  static Options defaults() { return {}; }

  // Starts the cluster and mounts one client, "client1".
  void start(Options options = defaults(), client::Options client_options = {}) {
    made = std::make_unique<Cluster>(std::move(options));
    const auto started = made->start();
    ASSERT_TRUE(started) << started.error().reason;
    fs = &made->add_client("client1", std::move(client_options));
    ASSERT_DONE(made->run(fs->mount(made->mds_address())));
  }

  template <class T>
  T run(io::Task<T> task) {
    return made->run(std::move(task));
  }
  client::FilePtr create(const std::string& path) {
    auto file = run(fs->open(path, client::OpenHow::create_new()));
    EXPECT_TRUE(file) << client::to_string(file.error());
    return file ? *file : nullptr;
  }
  // All of it through the MDS.
  void write(const client::FilePtr& file, std::span<const std::byte> data, uint64_t offset = 0) {
    while (!data.empty()) {
      auto written = run(fs->write(file, offset, data));
      ASSERT_DONE(written);
      ASSERT_GT(written->bytes, 0u);
      offset += written->bytes;
      data = data.subspan(written->bytes);
    }
    ASSERT_DONE(run(fs->commit(file)));
  }
  std::vector<std::byte> read(const client::FilePtr& file, uint32_t count, uint64_t offset = 0) {
    std::vector<std::byte> all;
    while (all.size() < count) {
      auto some = run(fs->read(file, offset + all.size(), static_cast<uint32_t>(count - all.size())));
      EXPECT_TRUE(some) << client::to_string(some.error());
      if (!some) break;
      all.insert(all.end(), some->bytes.begin(), some->bytes.end());
      if (some->eof || some->bytes.empty()) break;
    }
    return all;
  }
  size_t count(std::string_view node, std::string_view op) { return made->trace().count(node, op); }
};

}  // namespace pnfs::cluster
