#include "common/block/iscsi_block_store.hpp"

#include <csignal>

#include "common/block/iscsi_store_impl.hpp"

namespace pnfs::block {

namespace {
constexpr Duration kBusyPause = std::chrono::milliseconds(20);
constexpr Duration kFirstReconnectPause = std::chrono::milliseconds(50);
constexpr Duration kLongestReconnectPause = std::chrono::milliseconds(500);
constexpr Duration kTick = std::chrono::seconds(1);
}  // namespace

IscsiBlockStore::IscsiBlockStore(boost::asio::io_context& context, io::TimerQueue& timers, IscsiUrl url,
                                 IscsiOptions options)
    : context_(context),
      timers_(timers),
      url_(std::move(url)),
      options_(std::move(options)),
      connected_(context.get_executor()),
      slot_free_(context.get_executor()),
      group_(context.get_executor()) {}

IscsiBlockStore::~IscsiBlockStore() = default;

io::Task<Result<std::unique_ptr<BlockStore>>> open_iscsi(boost::asio::io_context& context, io::TimerQueue& timers,
                                                         std::string url, IscsiOptions options) {
  const Result<IscsiUrl> parsed = parse_iscsi_url(url);
  if (!parsed) co_return parsed.error();
  // libiscsi writes to sockets without MSG_NOSIGNAL: a target that goes away must not kill the process.
  if (signal(SIGPIPE, SIG_IGN) != SIG_DFL) {
    // Somebody else's handler stays ignored as well; nothing in this program wants SIGPIPE.
  }
  auto store = std::make_unique<IscsiBlockStore>(context, timers, *parsed, std::move(options));
  Result<void> ok = co_await store->start();
  if (!ok) co_return ok.error();
  co_return std::unique_ptr<BlockStore>(std::move(store));
}

io::Task<Result<void>> IscsiBlockStore::start() {
  Result<void> ok = co_await connect();
  if (!ok) co_return ok.error();
  const std::shared_ptr<IscsiConnection> connection = connection_;
  ok = co_await discover(connection);
  if (!ok) {
    connection_.reset();
    co_await connection->logout(std::chrono::seconds(1));
    co_return ok.error();
  }
  group_.spawn("iscsi session", maintain(*this));
  group_.spawn("iscsi watch", watch(*this));
  co_return Result<void>();
}

io::Task<Result<void>> IscsiBlockStore::connect() {
  const TimePoint deadline = timers_.now() + options_.login_timeout;
  const auto fresh = std::make_shared<IscsiConnection>(context_, timers_);
  // Its waits on the socket keep it alive: ended here on every way out, cancellation included.
  struct Keep {
    IscsiConnection* connection;
    ~Keep() {
      if (connection != nullptr) connection->lose("gave up");
    }
  };
  Keep keep{fresh.get()};
  Result<void> ok = co_await fresh->login(url_, options_);
  if (ok) ok = co_await wait_ready(fresh, deadline);
  if (ok && key_ != 0 && !fenced_) ok = co_await check_registration(fresh);
  if (!ok) co_return ok.error();
  keep.connection = nullptr;
  connection_ = fresh;
  connected_.notify_all();
  co_return Result<void>();
}

// Eats unit attentions; a unit that is becoming ready is given time.
io::Task<Result<void>> IscsiBlockStore::wait_ready(std::shared_ptr<IscsiConnection> connection, TimePoint deadline) {
  for (;;) {
    const Outcome outcome = co_await connection->command(cdb_test_unit_ready(), Direction::none, {}, 0);
    if (outcome.status == Status::good || outcome.status == Status::reservation_conflict) co_return Result<void>();
    if (outcome.status == Status::lost) {
      co_return error(Errc::closed, "{}: {}", name(), connection->why_lost());
    }
    if (outcome.asc == kAscNoSuchLun)
      co_return error(Errc::not_found, "{}: the target has no LUN {}", name(), url_.lun);
    if (timers_.now() >= deadline) co_return error(Errc::timeout, "{} is not ready: {}", name(), outcome.words());
    if (outcome.key != SenseKey::unit_attention) co_await timers_.sleep(kBusyPause);
  }
}

// --- keeping a session ---

io::Task<void> IscsiBlockStore::maintain(IscsiBlockStore& self) {
  for (;;) {
    const std::shared_ptr<IscsiConnection> connection = self.connection_;
    while (!connection->lost()) co_await connection->on_lost().wait();
    self.connection_.reset();
    if (self.closed_) co_return;
    // Before any command is sent again: unflushed writes may be gone.
    ++self.epoch_;
    self.last_trouble_ = connection->why_lost();
    spdlog::warn("{}: {}; logging in again", self.name(), self.last_trouble_);
    Duration pause = kFirstReconnectPause;
    while (!self.closed_) {
      const Result<void> ok = co_await self.connect();
      if (ok) {
        spdlog::info("{}: logged in again", self.name());
        break;
      }
      self.last_trouble_ = ok.error().reason;
      co_await self.timers_.sleep(pause);
      pause = std::min(pause * 2, kLongestReconnectPause);
    }
    if (self.closed_) co_return;
  }
}

io::Task<void> IscsiBlockStore::watch(IscsiBlockStore& self) {
  for (;;) {
    co_await self.timers_.sleep(kTick);
    const std::shared_ptr<IscsiConnection> connection = self.connection_;
    if (!connection) continue;
    const auto oldest = connection->oldest();
    if (oldest && self.timers_.now() - *oldest > self.options_.command_timeout) {
      connection->lose(
          fmt::format("no answer to a command for {} s",
                      std::chrono::duration_cast<std::chrono::seconds>(self.options_.command_timeout).count()));
      continue;
    }
    connection->tick();
    if (self.check_needed_) {
      self.check_needed_ = false;
      Result<void> ok = co_await self.check_registration(connection);
      if (!ok) self.check_needed_ = true;
    }
  }
}

io::Task<bool> IscsiBlockStore::wait_until(io::Event& event, TimePoint deadline) {
  if (timers_.now() >= deadline) co_return false;
  const auto timer = timers_.schedule(deadline, [&event] { event.notify_all(); });
  struct Cancel {
    io::TimerQueue& timers;
    io::TimerQueue::Id id;
    ~Cancel() { timers.cancel(id); }
  };
  const Cancel cancel{timers_, timer};
  co_await event.wait();
  co_return true;
}

// A usable session and a place in its queue: on success the caller makes a Slot, which gives the place back.
io::Task<Result<std::shared_ptr<IscsiConnection>>> IscsiBlockStore::wait_for_turn(TimePoint deadline) {
  for (;;) {
    if (closed_) co_return error(Errc::closed, "{} is closed", name());
    if (connection_ && !connection_->lost() && in_flight_ < options_.queue_depth) {
      ++in_flight_;
      co_return connection_;
    }
    bool more = false;
    if (connection_ && !connection_->lost()) {
      more = co_await wait_until(slot_free_, deadline);
    } else {
      more = co_await wait_until(connected_, deadline);
    }
    if (!more) co_return error(Errc::closed, "{}: no session for too long: {}", name(), last_trouble_);
  }
}

io::Task<Result<Outcome>> IscsiBlockStore::run(Command command) {
  const TimePoint deadline = timers_.now() + options_.retry_for;
  for (;;) {
    const Result<std::shared_ptr<IscsiConnection>> turn = co_await wait_for_turn(deadline);
    if (!turn) co_return turn.error();
    Slot slot(*this);
    // After the wait: a new session may have found that our key is gone.
    if (fenced_ && command.when_fenced == WhenFenced::refuse) {
      co_return error(Errc::fenced, "{}: registration key {:#x} is gone from the LUN: this node was fenced", name(),
                      key_);
    }
    if (command.direction == Direction::out && command.when_fenced == WhenFenced::refuse && write_gate_ && !write_gate_()) {
      co_return error(Errc::closed, "{}: the write was not sent: this node may not write any more", name());
    }
    const std::shared_ptr<IscsiConnection> connection = *turn;
    const Outcome outcome = co_await connection->command(command.cdb, command.direction, command.iov, command.bytes);
    slot.give_back();
    if (auto verdict = judge(outcome, command)) co_return std::move(*verdict);
    if (timers_.now() >= deadline) {
      co_return error(Errc::timeout, "{}: {} for longer than {} s", name(), outcome.words(),
                      std::chrono::duration_cast<std::chrono::seconds>(options_.retry_for).count());
    }
    if (outcome.status != Status::lost && outcome.key != SenseKey::unit_attention) co_await timers_.sleep(kBusyPause);
    if (outcome.status == Status::lost) {
      // The session's keeper counts the loss (epoch) before it lets anything through again.
      while (connection_ == connection && !closed_) co_await timers_.sleep(Duration(std::chrono::milliseconds(1)));
    }
  }
}

std::optional<Result<Outcome>> IscsiBlockStore::judge(const Outcome& outcome, const Command& command) {
  switch (outcome.status) {
    case Status::good:
      return outcome;
    case Status::reservation_conflict:
      check_needed_ = key_ != 0;
      return error(Errc::fenced, "{}: RESERVATION CONFLICT: this node may not write there", name());
    case Status::busy:
    case Status::task_set_full:
      return std::nullopt;  // not carried out
    case Status::lost:
    case Status::task_aborted:
      if (command.repeat == Repeat::yes) return std::nullopt;
      return error(Errc::closed, "{}: {}; whether the command was carried out is unknown", name(), outcome.words());
    case Status::check_condition:
    case Status::other:
      break;
  }
  if (outcome.status == Status::check_condition) {
    if (outcome.key == SenseKey::unit_attention) {
      // Not carried out (SAM-5 5.14). A reset may have cost unflushed writes.
      if (is_reset(outcome.asc)) {
        ++epoch_;
        check_needed_ = key_ != 0;
      }
      if (outcome.asc >= kAscReservationsPreempted && outcome.asc <= kAscRegistrationsPreempted) {
        check_needed_ = key_ != 0;
      }
      return std::nullopt;
    }
    if (outcome.key == SenseKey::not_ready) return std::nullopt;
    if (outcome.key == SenseKey::miscompare && command.may_differ) return outcome;
    if (outcome.key == SenseKey::aborted && command.repeat == Repeat::yes) return std::nullopt;
    if (outcome.key == SenseKey::illegal_request &&
        (outcome.asc == kAscInvalidOpcode || outcome.asc == kAscInvalidField)) {
      return error(Errc::unsupported, "{}: {}", name(), outcome.words());
    }
  }
  return error(Errc::io, "{}: {}", name(), outcome.words());
}

io::Task<Result<void>> IscsiBlockStore::run_to_success(Command command, const char* what) {
  const Result<Outcome> done = co_await run(command);
  if (!done) co_return done.error().with_context(what);
  if (done->residual != 0) {
    co_return error(Errc::io, "{}: {} moved {} bytes fewer than asked for", name(), what, done->residual);
  }
  co_return Result<void>();
}

io::Task<void> IscsiBlockStore::close() {
  if (closed_) co_return;
  closed_ = true;
  const TimePoint deadline = timers_.now() + options_.command_timeout;
  while (connection_ && !connection_->lost() && in_flight_ > 0) {
    if (!co_await wait_until(slot_free_, deadline)) break;
  }
  if (const std::shared_ptr<IscsiConnection> connection = connection_) {
    co_await connection->logout(std::chrono::seconds(2));
  }
  connected_.notify_all();
  slot_free_.notify_all();
  group_.stop();
  co_await group_.join();
}

}  // namespace pnfs::block
