// The device dies at its Nth command, for every N until the workload passes without dying. After each death the volume
// must come back with a prefix of what was done that holds everything reported durable, and fsck must be clean.
#include "common/block/faulty_block_store.hpp"
#include "common/volume/catalog_loader.hpp"
#include "common/volume/fsck.hpp"
#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

struct CrashTest : VolumeTest {
  static constexpr int kSteps = 120;
  std::unique_ptr<block::MemoryLun> fresh;  // after mkfs
  uint64_t checkpoints = 0;                 // of the run that never died
  std::string violation;                    // of the last run, "" if none

  void SetUp() override { spdlog::set_level(spdlog::level::err); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  // Step i: file i with an entry, an extent and the counter; every third step removes an older file.
  static Result<Ticket> step(Volume& volume, int i) {
    Catalog& catalog = volume.catalog();
    auto savepoint = catalog.begin();
    if (!savepoint) return savepoint.error();
    const auto allocated = catalog.allocate_fileid();
    if (!allocated) return allocated.error();
    const FileId id = *allocated;
    Inode inode = file_inode(id, 5000);
    inode.symlink_target = std::string(6000, 'x');  // fills pages, so that checkpoints happen
    if (auto ok = catalog.put(inode); !ok) return ok.error();
    if (auto ok = catalog.insert_entry(kRootFileId, "f" + std::to_string(i), id); !ok) return ok.error();
    if (auto ok = volume.extents().allocate(id, 0, 5000); !ok) return ok.error();
    if (i % 3 == 0) {
      const std::string name = "f" + std::to_string(i / 3);
      const auto old = catalog.lookup(kRootFileId, name);
      if (!old) return old.error();
      if (auto ok = volume.extents().remove(old->fileid, 0); !ok) return ok.error();
      if (auto ok = catalog.erase_entry(kRootFileId, name); !ok) return ok.error();
      if (auto ok = catalog.erase(old->fileid); !ok) return ok.error();
    }
    if (auto ok = catalog.set_setting("steps", std::to_string(i)); !ok) return ok.error();
    return savepoint->release();
  }

  struct Progress {
    int done = 0;
    int durable = 0;
    bool finished = false;
  };

  static io::Task<void> work(block::BlockStore& store, io::TimerQueue& timers, Random& random, int from, int to,
                             Progress& progress) {
    MountOptions options;
    options.ship_timeout = std::chrono::milliseconds(200);
    options.is_dead = [](const OwnerRecord&) { return true; };
    options.host = "h";
    Result<std::unique_ptr<Volume>> opened = co_await Volume::open(store, options, timers, random);
    if (!opened) co_return;
    const std::unique_ptr<Volume> volume = std::move(*opened);
    int i = from;
    while (i <= to) {
      // Several steps share a commit, some overlap with one that is being shipped.
      Ticket ticket = 0;
      int last = 0;
      for (int n = 0; n < 1 + i % 4 && i <= to; ++n) {
        Result<Ticket> done = step(*volume, i);
        if (!done) break;
        ticket = *done;
        last = progress.done = i++;
      }
      if (last == 0) break;
      Result<void> ok = co_await volume->durable(ticket);
      if (!ok) break;
      progress.durable = last;
    }
    if (i > to && volume->failure() == nullptr) {
      Result<void> closed = co_await volume->close();
      progress.finished = closed.has_value();
    }
    if (!progress.finished) co_await volume->abandon();
  }

  // Dies at the device command with this number. True when it never died.
  bool run_until_death(block::MemoryLun& on, uint64_t death, int from, int to, Progress& progress) {
    uint64_t count = 0;
    auto die = [&](block::BlockOp, uint64_t, uint64_t) -> Result<void> {
      if (++count == death) on.crash(random);
      return {};
    };
    block::MemoryBlockStore inner(time.context.get_executor(), on);
    block::FaultyBlockStore faulty(inner, die);
    time.run(work(faulty, time.timers, random, from, to, progress));
    return count < death;
  }

  // What the volume holds: the number of the last step; everything it implies is checked.
  int verify(block::MemoryLun& on) {
    block::MemoryBlockStore again(time.context.get_executor(), on);
    auto report = time.run(fsck(again));
    if (!report || !report->clean()) {
      violation = report ? to_text(*report) : report.error().reason;
      return -1;
    }
    MountOptions options;
    options.is_dead = [](const OwnerRecord&) { return true; };
    options.host = "h";
    auto opened = time.run(Volume::open(again, options, time.timers, random));
    if (!opened) {
      violation = opened.error().reason;
      return -1;
    }
    Catalog& catalog = (*opened)->catalog();
    const auto setting = catalog.setting("steps");
    const int last = setting && *setting ? std::atoi((*setting)->c_str()) : 0;
    for (int i = 1; i <= last; ++i) {
      const bool removed = i * 3 <= last;
      const auto entry = catalog.lookup(kRootFileId, "f" + std::to_string(i));
      if (entry.has_value() == removed) violation = fmt::format("step {} of {} is not whole", i, last);
      if (entry && catalog.get(entry->fileid)->size != 5000) violation = fmt::format("file {} is not whole", i);
    }
    if (catalog.lookup(kRootFileId, "f" + std::to_string(last + 1))) violation = "a step beyond the last";
    auto closed = time.run((*opened)->close());
    if (!closed) violation = closed.error().reason;
    return last;
  }

  // One death at command `death`, a second one soon after the restart, then the verdict. True when it never died.
  bool die_twice(uint64_t death) {
    const std::unique_ptr<block::MemoryLun> victim = fresh->clone();
    violation.clear();
    Progress first;
    const bool survived = run_until_death(*victim, death, 1, kSteps, first);
    victim->restart();
    if (!survived) {
      Progress second;
      // Recovery alone: mount, nothing more.
      run_until_death(*victim, 1 + random.below(24), 1, 0, second);
      victim->restart();
    }
    if (survived) {
      block::MemoryBlockStore again(time.context.get_executor(), *victim);
      checkpoints = time.run(read_mark(again, *time.run(probe(again))))->generation / 2 - 1;
    }
    const int found = verify(*victim);
    if (violation.empty() && found < first.durable) {
      violation = fmt::format("step {} was durable; only {} are there", first.durable, found);
    }
    if (violation.empty() && found > first.done) violation = "more steps than were done";
    return survived;
  }
};

TEST_F(CrashTest, EveryDeathLeavesAPrefixWithAllThatWasDurable) {
  for (const bool fua : {true, false}) {
    lun = block::MemoryLun({.bytes = 32ull << 20, .fua = fua});
    block::MemoryBlockStore maker(time.context.get_executor(), lun);
    ASSERT_OK(time.run(mkfs(maker, {}, random, time.clock)));
    fresh = lun.clone();
    uint64_t death = 1;
    while (!die_twice(death)) {
      ASSERT_EQ(violation, "") << "after death at command " << death << (fua ? " with FUA" : "");
      ++death;
    }
    ASSERT_EQ(violation, "");
    EXPECT_GT(death, 60u);  // else the workload was no workload
    EXPECT_GE(checkpoints, 2u);  // one in the middle, one at the end
  }
}

// The test above must be able to fail: a device whose SYNCHRONIZE CACHE does nothing loses durable steps.
TEST_F(CrashTest, ADeviceThatIgnoresFlushesIsNoticed) {
  lun = block::MemoryLun({.bytes = 32ull << 20, .fua = false});
  block::MemoryBlockStore maker(time.context.get_executor(), lun);
  ASSERT_OK(time.run(mkfs(maker, {}, random, time.clock)));
  lun = block::MemoryLun({.bytes = 32ull << 20, .fua = false, .ignores_flush = true}, lun);
  fresh = lun.clone();
  int noticed = 0;
  for (uint64_t death = 20; death < 120; death += 10) {
    die_twice(death);
    if (!violation.empty()) ++noticed;
  }
  EXPECT_GT(noticed, 0);
}

// mkfs that dies leaves no volume, or a whole one.
TEST_F(CrashTest, MkfsIsAllOrNothing) {
  for (uint64_t death = 1;; ++death) {
    block::MemoryLun victim({.bytes = 32ull << 20});
    uint64_t count = 0;
    auto die = [&](block::BlockOp, uint64_t, uint64_t) -> Result<void> {
      if (++count == death) victim.crash(random);
      return {};
    };
    block::MemoryBlockStore inner(time.context.get_executor(), victim);
    block::FaultyBlockStore faulty(inner, die);
    auto made = time.run(mkfs(faulty, {}, random, time.clock));
    if (count < death) {
      ASSERT_OK(made);
      break;
    }
    victim.restart();
    block::MemoryBlockStore again(time.context.get_executor(), victim);
    auto report = time.run(fsck(again));
    ASSERT_OK(report);
    if (report->is_volume) {
      for (const Finding& f : report->findings) EXPECT_EQ(f.kind, FindingKind::superblock) << f.text;
    }
  }
}

}  // namespace
}  // namespace pnfs::volume
