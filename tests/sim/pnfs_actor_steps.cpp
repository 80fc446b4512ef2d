// What a client of the pNFS simulation does, at random.
#include "tests/sim/pnfs_actor.hpp"

namespace pnfs::cluster {

using namespace nfs;
using namespace std::chrono_literals;

void PnfsActor::start(int steps) {
  done_ = false;
  tasks_->spawn(name_, work(steps));
  tasks_->spawn("lease", renew());
}

io::Task<void> PnfsActor::renew() {
  while (!world_.over) {
    co_await pause(2s);
    (void)co_await ask([] { return client::Compound::in_session(); });
  }
}

void PnfsActor::keep_busy(Duration time) {
  busy_until_ = world_.cluster.sim().now() + time;
}

void PnfsActor::read_on(Duration time) {
  tasks_->spawn("reads on", keep_reading(time));
}

io::Task<void> PnfsActor::keep_reading(Duration time) {
  const TimePoint until = world_.cluster.sim().now() + time;
  while (!world_.over && world_.cluster.sim().now() < until) {
    co_await pause(std::chrono::milliseconds(20 + world_.below(150)));
    File& file = any_file();
    const uint32_t cell = any_cell();
    const auto place = known_place(file, cell, std::min(4u, DataModel::run_from(cell)), false);
    if (!place || !file.open || file.recalled) continue;
    const auto id = world_.model.begin_read(file.number, cell, place->cells);
    auto answer = co_await read_at(file, *place);
    if (answer.ok()) {
      judge_read(file, cell, place->cells, id, answer, io::to_string(place->at));
    } else {
      world_.model.drop_read(id);
    }
  }
}

std::optional<io::Endpoint> PnfsActor::writes_at() const {
  for (const File& file : files_) {
    const auto place = file.open && file.writable ? known_place(file, 0, 1, true) : std::nullopt;
    if (place) return place->at;
  }
  return std::nullopt;
}

void PnfsActor::doing(std::string what) {
  doing_ = std::move(what);
  since_ = world_.cluster.sim().now();
}

std::string PnfsActor::state() const {
  return fmt::format("{} {}: {} for {} s", name_, done_ ? "is done" : "works", doing_,
                     (world_.cluster.sim().now() - since_) / 1s);
}

io::Task<void> PnfsActor::work(int steps) {
  const auto busy = [this] { return world_.cluster.sim().now() < busy_until_; };
  for (int i = 0; (i < steps || busy()) && !world_.over; ++i) {
    if (busy() && world_.random.chance(2, 3)) {
      co_await write_on();
    } else {
      co_await step();
    }
    if (world_.moment) world_.moment();
    if (i >= steps || world_.random.chance(1, 4)) co_await pause(std::chrono::milliseconds(world_.below(300)));
  }
  done_ = true;
}

io::Task<void> PnfsActor::write_on() {
  File& file = any_file();
  const uint32_t cell = any_cell();
  doing(fmt::format("writes on to file {}", file.name));
  const bool opened = co_await open(file, true);
  if (!opened) co_return;
  const bool by_layout = known_place(file, cell, 1, true).has_value();
  co_await write(file, cell, std::min(1 + world_.below(3), DataModel::run_from(cell)), UNSTABLE4, by_layout);
}

io::Task<void> PnfsActor::step() {
  File& file = any_file();
  const uint32_t what = world_.below(100);
  const uint32_t cell = any_cell();
  const uint32_t count = 1 + world_.below(std::min<uint32_t>(DataModel::run_from(cell), world_.random.chance(1, 3) ? 40 : 6));
  const uint32_t fit = std::min(count, DataModel::run_from(cell));
  const bool by_layout = world_.random.chance(4, 5);
  const stable_how4 stable = world_.random.chance(3, 4) ? UNSTABLE4 : world_.random.chance(1, 2) ? DATA_SYNC4 : FILE_SYNC4;
  if (what < 40) {
    doing(fmt::format("writes file {}", file.name));
    const bool opened = co_await open(file, true);
    if (opened) co_await write(file, cell, fit, stable, by_layout);
  } else if (what < 65) {
    doing(fmt::format("reads file {}", file.name));
    const bool opened = co_await open(file, false);
    if (opened) co_await read(file, cell, fit, by_layout);
  } else if (what < 76) {
    doing(fmt::format("commits file {}", file.name));
    if (file.open) co_await commit(file);
  } else if (what < 82) {
    doing(fmt::format("tells the size of file {}", file.name));
    if (file.open) co_await layout_commit(file);
  } else if (what < 85) {
    doing(fmt::format("returns the layout of file {}", file.name));
    if (file.open && !file.recalled) co_await return_layout(file);
  } else if (what < 88) {
    doing(fmt::format("closes file {}", file.name));
    co_await close(file);
  } else if (what < 90) {
    doing(fmt::format("downgrades file {}", file.name));
    co_await downgrade(file);
  } else if (what < 93) {
    doing(fmt::format("truncates file {}", file.name));
    co_await truncate(file, world_.below(DataModel::kCells));
  } else if (what < 95) {
    doing(fmt::format("removes file {}", file.name));
    co_await remove(file);
  } else {
    doing(fmt::format("overtakes its own write of file {}", file.name));
    co_await overtake(file);
  }
}

// A write is on its way to a data server while what it stands on is given up.
io::Task<void> PnfsActor::overtake(File& file) {
  const bool opened = co_await open(file, true);
  if (!opened) co_return;
  const uint32_t cell = std::min(any_cell(), DataModel::kFarCell - 16);
  auto place = co_await place_of(file, cell, 4, true);
  if (!place || !file.open) co_return;
  // Shared: when the client dies, either of the two may end first.
  auto ended = std::make_shared<bool>(false);
  auto behind = [](PnfsActor& actor, File& f, uint32_t at, std::shared_ptr<bool> over) -> io::Task<void> {
    struct Done {
      PnfsActor& actor;
      std::shared_ptr<bool> over;
      ~Done() {
        *over = true;
        actor.changed_.notify_all();
      }
    } done{actor, std::move(over)};
    uint32_t from = at, cells = 4;
    (void)co_await actor.write_by_layout(f, from, cells, UNSTABLE4);
  };
  tasks_->spawn("a write that is overtaken", behind(*this, file, cell, ended));
  co_await pause(std::chrono::microseconds(world_.below(1500)));
  switch (world_.below(4)) {
    case 0:
      co_await close(file);
      break;
    case 1:
      co_await downgrade(file);
      break;
    case 2:
      co_await truncate(file, world_.below(DataModel::kCells));
      break;
    default:
      if (!file.recalled) co_await return_layout(file);
      break;
  }
  while (!*ended) co_await changed_.wait();
}

io::Task<void> PnfsActor::verify() {
  for (File& file : files_) {
    for (const bool by_layout : {false, true}) {
      doing(fmt::format("verifies file {}", file.name));
      const bool opened = co_await open(file, false);
      if (!opened) continue;
      co_await read(file, 0, DataModel::kFarCell, by_layout);
      co_await read(file, DataModel::kFarCell, DataModel::kCells - DataModel::kFarCell, by_layout);
    }
  }
}

}  // namespace pnfs::cluster
