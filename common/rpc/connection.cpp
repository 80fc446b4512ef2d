#include "common/rpc/connection.hpp"

#include "common/io/task_group.hpp"
#include "common/rpc/pending.hpp"

namespace pnfs::rpc {

namespace {
constexpr size_t kAheadBytes = 8192;
constexpr size_t kBatchMessages = 64;
constexpr size_t kBatchBytes = 4u << 20;
constexpr uint32_t kLastFragment = 0x80000000;  // RFC 5531 11
}  // namespace

Connection::Connection(uint64_t id, std::unique_ptr<io::Stream> stream, const Environment& environment)
    : id_(id),
      stream_(std::move(stream)),
      env_(environment),
      local_(stream_->local()),
      remote_(stream_->remote()),
      ahead_(kAheadBytes),
      room_(env_.timers->executor()),
      queued_(env_.timers->executor()),
      next_xid_(static_cast<uint32_t>(id << 16) + 1) {}

Connection::~Connection() = default;

void Connection::start(bool accepted) {
  accepted_ = accepted;
  if (env_.observer) env_.observer->opened(*this);
  env_.tasks->spawn("rpc reader", read_records(shared_from_this()));
  env_.tasks->spawn("rpc writer", write_records(shared_from_this()));
}

// ---- ending -------------------------------------------------------------------------------------------------------

void Connection::close(std::string_view reason) {
  end(std::string(reason), false);
}

void Connection::reset(std::string_view reason) {
  end(std::string(reason), true);
}

void Connection::end(std::string reason, bool with_reset) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  close_reason_ = std::move(reason);
  if (with_reset) {
    stream_->reset();
  } else {
    stream_->close();
  }
  for (Watch* watch : {&record_watch_, &write_watch_})
    if (watch->timer != 0) env_.timers->cancel(watch->timer);
  auto unsent = std::move(queue_);
  queue_.clear();
  for (const Outgoing& message : unsent)
    if (message.reply) release(*message.reply);
  for (const auto& [xid, pending] : pending_)
    pending->finish(error(Errc::closed, "the connection to {} closed: {}", io::to_string(remote_), close_reason_));
  queued_.notify_all();
  room_.notify_all();
  if (env_.observer) env_.observer->closed(*this, close_reason_);
  const auto actions = std::move(close_actions_);
  close_actions_.clear();
  for (const auto& [token, action] : actions) action(*this);
}

Connection::CloseToken Connection::on_close(std::function<void(Connection&)> action) {
  const CloseToken token = next_token_++;
  if (closed_) {
    action(*this);
  } else {
    close_actions_.emplace(token, std::move(action));
  }
  return token;
}

void Connection::forget_close(CloseToken token) {
  close_actions_.erase(token);
}

void Connection::begin(Watch Connection::*watch, Duration limit, std::string_view what) {
  Watch& w = this->*watch;
  w.began = env_.timers->now();
  if (w.timer != 0) return;
  w.timer = env_.timers->schedule_after(limit, [weak = weak_from_this(), watch, limit, what] {
    if (const auto self = weak.lock()) self->check(watch, limit, what);
  });
}

void Connection::check(Watch Connection::*watch, Duration limit, std::string_view what) {
  Watch& w = this->*watch;
  w.timer = 0;
  if (closed_ || !w.began) return;
  if (env_.timers->now() - *w.began >= limit) {
    end(fmt::format("{} took longer than {} ms", what,
                    std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()),
        false);
    return;
  }
  w.timer = env_.timers->schedule(*w.began + limit, [weak = weak_from_this(), watch, limit, what] {
    if (const auto self = weak.lock()) self->check(watch, limit, what);
  });
}

// ---- reading ------------------------------------------------------------------------------------------------------

bool Connection::full() const {
  return in_flight_ >= env_.limits.max_in_flight || in_flight_bytes_ >= env_.limits.max_in_flight_bytes;
}

io::Task<void> Connection::read_records(std::shared_ptr<Connection> self) {
  while (!self->closed_) {
    if (self->full()) {
      co_await self->room_.wait();
      continue;
    }
    Buffer record;
    auto bytes = co_await self->read_record(record);
    if (!bytes) {
      self->end(bytes.error().reason, false);
      co_return;
    }
    self->take_record(std::move(record), *bytes);
  }
}

// More bytes into ahead_, which is empty or holds the first bytes of a mark.
io::Task<Result<void>> Connection::read_ahead() {
  std::memmove(ahead_.data(), ahead_.data() + ahead_begin_, ahead_end_ - ahead_begin_);
  ahead_end_ -= ahead_begin_;
  ahead_begin_ = 0;
  auto got = co_await stream_->read_some(std::span(ahead_).subspan(ahead_end_));
  if (!got) co_return got.error();
  ahead_end_ += *got;
  co_return Result<void>{};
}

io::Task<Result<uint32_t>> Connection::read_mark() {
  for (;;) {
    if (ahead_end_ > ahead_begin_ && !record_watch_.began)
      begin(&Connection::record_watch_, env_.limits.record_timeout, "a record that was begun");
    if (ahead_end_ - ahead_begin_ >= 4) break;
    auto more = co_await read_ahead();
    if (!more) co_return more.error();
  }
  uint32_t mark = 0;
  std::memcpy(&mark, ahead_.data() + ahead_begin_, 4);
  ahead_begin_ += 4;
  co_return __builtin_bswap32(mark);
}

io::Task<Result<void>> Connection::read_into(std::span<std::byte> into) {
  while (!into.empty()) {
    const size_t buffered = std::min(into.size(), ahead_end_ - ahead_begin_);
    if (buffered > 0) {
      std::memcpy(into.data(), ahead_.data() + ahead_begin_, buffered);
      ahead_begin_ += buffered;
      into = into.subspan(buffered);
    } else if (into.size() < kAheadBytes / 2) {
      auto more = co_await read_ahead();
      if (!more) co_return more.error();
    } else {
      // Large payloads go straight to where they stay.
      auto got = co_await stream_->read_some(into);
      if (!got) co_return got.error();
      into = into.subspan(*got);
    }
  }
  co_return Result<void>{};
}

io::Task<Result<size_t>> Connection::read_record(Buffer& into) {
  record_watch_.began.reset();
  size_t have = 0;
  for (;;) {
    auto mark = co_await read_mark();
    if (!mark) {
      if (record_watch_.began && mark.error().code == Errc::closed)
        co_return error(Errc::closed, "the peer closed in the middle of a record");
      co_return mark.error();
    }
    const size_t length = *mark & ~kLastFragment;
    if (length > env_.limits.max_record_bytes - have)
      co_return error(Errc::too_large, "a record of {} bytes or more is over the limit of {} bytes", have + length,
                      env_.limits.max_record_bytes);
    if (into.capacity() < have + length) {
      Buffer larger = env_.buffers->take(have + length);
      std::memcpy(larger.data(), into.data(), have);
      into = std::move(larger);
    }
    auto read = co_await read_into({into.data() + have, length});
    if (!read) {
      if (read.error().code == Errc::closed) co_return error(Errc::closed, "the peer closed in the middle of a record");
      co_return read.error();
    }
    have += length;
    if (*mark & kLastFragment) break;
  }
  record_watch_.began.reset();
  co_return have;
}

void Connection::take_record(Buffer record, size_t bytes) {
  if (closed_) return;
  ++records_received_;
  const std::span<const std::byte> view(record.data(), bytes);
  if (env_.observer) env_.observer->received(*this, view);
  const auto type = message_type(view);
  if (!type) {
    end(fmt::format("a record of {} bytes that is no RPC message", bytes), false);
  } else if (*type == MessageType::call) {
    take_call(std::move(record), bytes);
  } else {
    take_reply(std::move(record), bytes);
  }
}

void Connection::take_call(Buffer record, size_t bytes) {
  auto request = std::make_unique<Request>(shared_from_this(), std::move(record), bytes);
  if (auto parsed = request->parse(); !parsed) {
    end(parsed.error().reason, false);
    return;
  }
  ++in_flight_;
  in_flight_bytes_ += bytes;
  if (request->header().rpc_version != 2) {
    request->reply_rpc_mismatch();
    Outgoing message;
    message.reply = std::move(request);
    send(std::move(message));
    return;
  }
  env_.handlers->spawn("rpc call", handle(shared_from_this(), std::move(request)));
}

io::Task<void> Connection::handle(std::shared_ptr<Connection> self, std::unique_ptr<Request> request) {
  // Whatever ends this coroutine, the request stops counting.
  struct Release {
    Connection& connection;
    std::unique_ptr<Request>& request;
    ~Release() {
      if (request) connection.release(*request);
    }
  } release{*self, request};
  co_await self->env_.dispatcher->dispatch(*request);
  if (self->closed_ || request->dropped()) co_return;
  if (!request->replied()) request->reply_error(SYSTEM_ERR);
  Outgoing message;
  message.reply = std::move(request);
  self->send(std::move(message));
}

void Connection::release(const Request& request) {
  --in_flight_;
  in_flight_bytes_ -= request.record_bytes_;
  room_.notify_all();
}

// ---- writing ------------------------------------------------------------------------------------------------------

void Connection::send(Outgoing message) {
  queue_.push_back(std::move(message));
  if (queue_.size() == 1) queued_.notify_all();
}

io::Task<void> Connection::write_records(std::shared_ptr<Connection> self) {
  std::vector<Outgoing> batch;
  std::vector<io::ConstBytes> pieces;
  while (!self->closed_) {
    if (self->queue_.empty()) {
      co_await self->queued_.wait();
      continue;
    }
    size_t bytes = 0;
    while (!self->queue_.empty() && batch.size() < kBatchMessages && bytes < kBatchBytes) {
      Outgoing& message = batch.emplace_back(std::move(self->queue_.front()));
      self->queue_.pop_front();
      const size_t first = pieces.size();
      if (message.reply) {
        for (const io::ConstBytes piece : message.reply->finish()) pieces.push_back(piece);
      } else {
        Call& call = *message.call;
        xdr::Encoder::patch(call.mark_, kLastFragment | static_cast<uint32_t>(call.encoder_.size() - 4));
        for (const io::ConstBytes piece : call.encoder_.pieces()) pieces.push_back(piece);
      }
      for (size_t i = first; i < pieces.size(); ++i) bytes += pieces[i].size();
      if (self->env_.observer) self->env_.observer->sent(*self, std::span(pieces).subspan(first));
    }
    self->begin(&Connection::write_watch_, self->env_.limits.write_timeout, "writing to a peer that does not read");
    auto written = co_await self->stream_->write(pieces);
    self->write_watch_.began.reset();
    for (const Outgoing& message : batch)
      if (message.reply) self->release(*message.reply);
    batch.clear();
    pieces.clear();
    if (!written) self->end(written.error().reason, false);
  }
}

}  // namespace pnfs::rpc
