// What I/O through a layout costs the MDS: data servers ask seldom, and nothing twice.
#include "common/io/task_group.hpp"
#include "tests/sim/data_server_fixture.hpp"

namespace pnfs::cluster {
namespace {

using client::OpenHow;

struct ControlCalls : DataServerRules {
  static constexpr uint64_t kPiece = 256 << 10, kStream = 64 << 20;

  // In order, four pieces under way at a time.
  template <class Piece>
  void stream(Piece piece) {
    uint64_t next = 0;
    const auto worker = [](uint64_t& at, Piece& one) -> io::Task<void> {
      while (at < kStream) {
        auto done = co_await one(std::exchange(at, at + kPiece));
        EXPECT_TRUE(done) << client::to_string(done.error());
      }
    };
    io::TaskGroup workers(cluster().sim().executor());
    for (int i = 0; i < 4; ++i) workers.spawn("stream", worker(next, piece));
    run(workers.join());
  }
  void read_all() {
    stream([this](uint64_t at) { return fs->read_striped(file, at, kPiece); });
  }
  size_t calls() { return calls("STATEID_CHECK") + calls("GRANT") + calls("GRANT_RETURN") + calls("FILE_CHANGED"); }
  size_t calls(std::string_view op) {
    return std::ranges::count_if(cluster().trace().events(), [&](const trace::OwnedEvent& e) {
      return e.kind == trace::Kind::control && e.node == "mds" && e.op == op;
    });
  }
};

TEST_F(ControlCalls, AStreamIsAllocatedInEverLargerPieces) {
  start(sparse());
  file = create("file");
  const auto data = pattern(kPiece);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  stream([&](uint64_t at) { return fs->write_striped(file, at, data); });
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  // Of each of two data servers: one question about the stateid, one word about the size, and grants for 1, 2, 4 ... 64
  // MiB.
  const size_t written = calls();
  EXPECT_LE(written, 2u * (1 + 1 + 7));
  EXPECT_GE(calls("GRANT"), 4u);

  read_all();
  EXPECT_EQ(calls(), written) << "all that it needs to know it knows from writing";

  ASSERT_DONE(run(fs->close(file)));
  const auto again = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(again);
  file = *again;
  ASSERT_DONE(run(fs->read_striped(file, 0, kPiece)));
  read_all();
  EXPECT_EQ(calls(), written + 2) << "a new stateid: one question of each data server";
}

}  // namespace
}  // namespace pnfs::cluster
