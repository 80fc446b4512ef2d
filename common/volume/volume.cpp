#include "common/volume/volume.hpp"

#include "common/io/task_group.hpp"
#include "common/volume/catalog_loader.hpp"
#include "common/volume/catalog_schema.hpp"
#include "common/volume/catalog_writer.hpp"
#include "common/volume/ownership.hpp"
#include "common/volume/zeroer.hpp"

namespace pnfs::volume {

namespace {

class MountedVolume final : public Volume {
 public:
  MountedVolume(block::BlockStore& store, const Superblock& superblock, MountOptions options, io::TimerQueue& timers)
      : store_(store),
        superblock_(superblock),
        options_(std::move(options)),
        timers_(timers),
        ownership_(store, superblock, timers),
        group_(timers.executor()),
        heart_(timers.executor()) {}

  io::Task<Result<void>> start(Random& random);

  Catalog& catalog() override { return *catalog_; }
  Extents& extents() override { return *extents_; }
  block::BlockStore& store() override { return store_; }
  const Superblock& superblock() const override { return superblock_; }
  uint64_t boot_instance() const override { return boot_instance_; }
  uint64_t reservation_key() const override { return ownership_.key(); }
  uint64_t write_epoch() const override { return superblock_.write_epoch; }
  io::Task<Result<uint64_t>> raise_write_epoch() override;
  io::Task<Result<void>> reassert() override { return ownership_.reassert(); }
  io::Task<Result<void>> fence(uint64_t victim_key) override;
  const Error* failure() const override { return catalog_->impl().failure() ? &*catalog_->impl().failure() : nullptr; }
  void on_failure(std::function<void(const Error&)> action) override { on_failure_ = std::move(action); }
  io::Task<Result<void>> close() override;
  io::Task<void> abandon() override;

 private:
  io::Task<Result<void>> load();
  Result<void> raise_boot_instance();
  io::Task<Result<void>> write_superblock(Superblock next);
  static io::Task<void> run_writer(MountedVolume& self);
  static io::Task<void> run_heartbeat(MountedVolume& self);
  void report_failure();

  block::BlockStore& store_;
  Superblock superblock_;
  MountOptions options_;
  io::TimerQueue& timers_;
  Ownership ownership_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Extents> extents_;
  std::unique_ptr<CatalogWriter> writer_;
  std::unique_ptr<Zeroer> zeroer_;
  io::TaskGroup group_;  // writer
  io::TaskGroup heart_;  // heartbeat and zeroing: cancelled first
  uint64_t boot_instance_ = 0;
  bool epoch_busy_ = false;
  std::function<void(const Error&)> on_failure_;
};

io::Task<Result<void>> MountedVolume::load() {
  Result<LoadedCatalog> loaded = co_await load_catalog(store_, superblock_, options_.max_catalog_memory_bytes);
  if (!loaded) co_return loaded.error().with_context("reading the catalog");
  const CatalogLimits limits{superblock_.catalog.length, superblock_.log.length, superblock_.node_slots};
  const GenerationMark mark = loaded->mark;
  auto impl = CatalogImpl::open(std::move(loaded->vfs), limits, timers_.executor(), false);
  if (!impl) co_return impl.error();
  catalog_ = std::make_unique<Catalog>(std::move(*impl));
  auto reassert = [this]() { return ownership_.reassert(); };
  writer_ = std::make_unique<CatalogWriter>(store_, superblock_, catalog_->impl(), timers_, mark, options_.ship_timeout,
                                            reassert);
  auto extents = ExtentsImpl::load(*catalog_, superblock_);
  if (!extents) co_return extents.error();
  zeroer_ = std::make_unique<Zeroer>(store_, **extents, catalog_->impl(), timers_, options_.zero_pool_bytes);
  extents_ = std::make_unique<Extents>(std::move(*extents));
  co_return co_await writer_->settle_recovered();
}

Result<void> MountedVolume::raise_boot_instance() {
  auto stored = catalog_->setting(kSettingBootInstance);
  if (!stored) return stored.error();
  boot_instance_ = (*stored ? std::strtoull((*stored)->c_str(), nullptr, 10) : 0) + 1;
  return catalog_->set_setting(kSettingBootInstance, std::to_string(boot_instance_));
}

io::Task<Result<void>> MountedVolume::start(Random& random) {
  if (store_.geometry().read_only) co_return error(Errc::invalid, "{} is read-only", store_.name());
  Result<void> ok = co_await ownership_.take(options_, random);
  if (!ok) co_return ok.error();
  ok = co_await load();
  if (ok) ok = raise_boot_instance();
  if (!ok) {
    // Nobody else need wait for our lease when the mount fails half-way.
    Result<void> released = co_await ownership_.give_up();
    if (!released) spdlog::warn("volume {}: {}", superblock_.name, released.error().reason);
    co_return ok.error();
  }
  group_.spawn("catalog writer", run_writer(*this));
  heart_.spawn("volume heartbeat", run_heartbeat(*this));
  heart_.spawn("volume zeroing", zeroer_->run());
  ok = co_await catalog_->durable(catalog_->ticket());
  if (!ok) {
    co_await abandon();
    co_return ok.error();
  }
  co_return Result<void>();
}

io::Task<void> MountedVolume::run_writer(MountedVolume& self) {
  co_await self.writer_->run();
  self.report_failure();
}

io::Task<void> MountedVolume::run_heartbeat(MountedVolume& self) {
  Result<void> lost = co_await self.ownership_.keep();
  if (!lost) self.catalog_->impl().fail(lost.error());
  self.report_failure();
}

void MountedVolume::report_failure() {
  if (failure() == nullptr || !on_failure_) return;
  std::exchange(on_failure_, nullptr)(*failure());
}

io::Task<Result<uint64_t>> MountedVolume::raise_write_epoch() {
  Superblock next = superblock_;
  ++next.write_epoch;
  // In force in memory at once: a verifier may change needlessly, it may never fail to.
  superblock_.write_epoch = next.write_epoch;
  Result<void> ok = co_await write_superblock(next);
  if (!ok) co_return ok.error();
  co_return next.write_epoch;
}

io::Task<Result<void>> MountedVolume::write_superblock(Superblock next) {
  while (epoch_busy_) co_await timers_.sleep(std::chrono::milliseconds(1));
  epoch_busy_ = true;
  struct Done {
    bool& flag;
    ~Done() { flag = false; }
  };
  Done done{epoch_busy_};
  next.generation = superblock_.generation;
  next.write_epoch = std::max(next.write_epoch, superblock_.write_epoch);
  // One copy after the other, each flushed: one of them is always whole.
  for (uint64_t offset : kSuperblockOffsets) {
    ++next.generation;
    const auto block = encode(next);
    const block::ConstPiece pieces[] = {block};
    Result<void> ok = co_await store_.write(offset, pieces);
    if (!ok && ok.error().code == Errc::fenced) {
      // A target that restarted and forgot whose it is: the very moment at which the epoch has to rise.
      ok = co_await ownership_.reassert();
      if (ok) ok = co_await store_.write(offset, pieces);
    }
    if (ok) ok = co_await store_.flush();
    if (!ok) co_return ok.error();
    superblock_.generation = next.generation;
  }
  co_return Result<void>();
}

io::Task<Result<void>> MountedVolume::fence(uint64_t victim_key) {
  if (ownership_.key() == 0) co_return error(Errc::unsupported, "the LUN has no persistent reservations: cannot fence");
  Result<void> ok = co_await store_.preempt(ownership_.key(), victim_key, true);
  if (!ok && ok.error().code == Errc::fenced) {
    // The key may simply be gone already: then the node is shut out.
    const Result<block::Reservation> now = co_await store_.reservation();
    if (now && now->holder == ownership_.key() &&
        std::find(now->keys.begin(), now->keys.end(), victim_key) == now->keys.end()) {
      co_return Result<void>();
    }
  }
  co_return ok;
}

io::Task<Result<void>> MountedVolume::close() {
  heart_.stop();
  co_await heart_.join();
  writer_->finish();
  co_await group_.join();
  if (failure() != nullptr) co_return *failure();
  co_return co_await ownership_.give_up();
}

io::Task<void> MountedVolume::abandon() {
  catalog_->impl().fail(error(Errc::closed, "the volume was abandoned"));
  heart_.stop();
  group_.stop();
  co_await heart_.join();
  co_await group_.join();
}

}  // namespace

io::Task<Result<std::unique_ptr<Volume>>> Volume::open(block::BlockStore& store, MountOptions options,
                                                       io::TimerQueue& timers, Random& random) {
  const Result<Superblock> superblock = co_await probe(store);
  if (!superblock) co_return superblock.error();
  auto volume = std::make_unique<MountedVolume>(store, *superblock, std::move(options), timers);
  Result<void> ok = co_await volume->start(random);
  if (!ok) co_return ok.error();
  co_return std::unique_ptr<Volume>(std::move(volume));
}

}  // namespace pnfs::volume
