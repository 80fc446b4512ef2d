// Records as they come in: fragments, limits, calls and replies (RFC 5531 11).
#include <spdlog/spdlog.h>

#include "common/fault/injector.hpp"
#include "common/io/task_group.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

bool Connection::full() const {
  return in_flight_ >= env_.limits.max_in_flight || in_flight_bytes_ >= env_.limits.max_in_flight_bytes;
}

io::Task<void> Connection::read_records(std::shared_ptr<Connection> self) {
  const fault::Injector* faults = self->env_.faults;
  if (self->accepted_ && faults && faults->active(fault::Domain::connection, fault::Stage::before)) {
    const bool go_on = co_await self->consult("CONNECT", nullptr, nullptr);
    if (!go_on) co_return;
  }
  while (!self->closed_) {
    if (self->full()) {
      co_await self->room_.wait();
      continue;
    }
    if (self->ahead_begin_ == self->ahead_end_) {
      auto more = co_await self->read_ahead();
      if (!more) {
        self->end(more.error().reason, false);
        co_return;
      }
    }
    Buffer record;
    size_t bytes = 0;
    if (!self->take_ahead(record, bytes)) {
      auto read = co_await self->read_record(record);
      if (!read) {
        self->end(read.error().reason, false);
        co_return;
      }
      bytes = *read;
    }
    if (faults && faults->active(fault::Domain::connection, fault::Stage::before)) {
      const bool go_on = co_await self->consult("RECORD", &record, &bytes);
      if (!go_on) continue;
    }
    self->take_record(std::move(record), bytes);
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

// A whole record of one fragment that was read ahead: the usual case, for which nothing has to be awaited.
bool Connection::take_ahead(Buffer& record, size_t& bytes) {
  const size_t have = ahead_end_ - ahead_begin_;
  if (have < 4) return false;
  uint32_t mark = 0;
  std::memcpy(&mark, ahead_.data() + ahead_begin_, 4);
  mark = __builtin_bswap32(mark);
  const size_t length = mark & ~kLastFragment;
  if ((mark & kLastFragment) == 0 || length > have - 4 || length > env_.limits.max_record_bytes) return false;
  record = env_.buffers->take(length);
  std::memcpy(record.data(), ahead_.data() + ahead_begin_ + 4, length);
  ahead_begin_ += 4 + length;
  bytes = length;
  return true;
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
      if (have != 0) std::memcpy(larger.data(), into.data(), have);
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
  if (closed_ || black_hole_) return;
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
  std::optional<io::Task<void>> rest;
  try {
    rest = env_.dispatcher->begin(*request);
  } catch (const std::exception& e) {
    spdlog::error("a call of program {} ended with an exception: {}", request->program(), e.what());
    request->reply_error(SYSTEM_ERR);
  }
  if (rest) {
    env_.handlers->spawn("rpc call", handle(shared_from_this(), std::move(request), std::move(*rest)));
  } else {
    answer(std::move(request));
  }
}

// What there was to do for the request is done.
void Connection::answer(std::unique_ptr<Request> request) {
  if (closed_ || request->dropped()) {
    if (!closed_ && watched_) stream_->remark_silence("no reply: " + request->treatment_.remark);
    release(*request);
    return;
  }
  if (!request->replied()) request->reply_error(SYSTEM_ERR);
  Outgoing message;
  message.reply = std::move(request);
  send(std::move(message));
}

io::Task<void> Connection::handle(std::shared_ptr<Connection> self, std::unique_ptr<Request> request,
                                  io::Task<void> rest) {
  // Whatever ends this coroutine, the request stops counting.
  struct Release {
    Connection& connection;
    std::unique_ptr<Request>& request;
    ~Release() {
      if (request) connection.release(*request);
    }
  } release{*self, request};
  co_await std::move(rest);
  self->answer(std::move(request));
}

void Connection::release(const Request& request) {
  --in_flight_;
  in_flight_bytes_ -= request.record_bytes_;
  room_.notify_all();
}

io::Task<bool> Connection::consult(std::string_view op, Buffer* record, size_t* bytes) {
  const std::string address = io::to_string(remote_);
  std::vector<std::byte> copy;
  fault::Context context;
  context.domain = fault::Domain::connection;
  context.op = op;
  context.address = address;
  context.connection = id_;
  if (record != nullptr) {
    copy.assign(record->data(), record->data() + *bytes);
    context.bytes = &copy;
  }
  fault::Verdict verdict = env_.faults->consult(context);
  if (!verdict) co_return true;
  if (watched_) stream_->remark_silence(fmt::format("{}: fault: {}", op, verdict.rule));
  if (record != nullptr && verdict.changed && copy.size() <= env_.limits.max_record_bytes) {
    if (record->capacity() < copy.size()) *record = env_.buffers->take(copy.size());
    std::memcpy(record->data(), copy.data(), copy.size());
    *bytes = copy.size();
  }
  if (verdict.delay > Duration(0)) co_await env_.timers->sleep(verdict.delay);
  if (verdict.black_hole) black_hole();
  if (verdict.reset) {
    end("fault: " + verdict.rule, true);
  } else if (verdict.close) {
    end("fault: " + verdict.rule, false);
  }
  co_return !closed_ && !verdict.drop_request;
}

}  // namespace pnfs::rpc
