// One RPC connection, of either side: calls come in and are answered by a Dispatcher, calls go out and are matched to
// their replies by xid, both at once (RFC 8881 2.10.3.1: fore and back channel may share a connection).
//
// Ownership: shared; its coroutines belong to the Server or Client it came from and end before that does.
// Threading: the executor's thread. Bounds: see Limits.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/io/event.hpp"
#include "common/io/stream.hpp"
#include "common/io/timer_queue.hpp"
#include "common/rpc/message.hpp"
#include "common/rpc/observer.hpp"
#include "common/rpc/request.hpp"
#include "common/rpc/service.hpp"

namespace pnfs::io {
class TaskGroup;
}
namespace pnfs::fault {
class Injector;
struct Context;
}  // namespace pnfs::fault

namespace pnfs::rpc {

struct Limits {
  size_t max_record_bytes = (1u << 20) + (64u << 10);  // a longer record closes the connection
  size_t max_in_flight = 256;                          // calls being answered; reading pauses beyond
  size_t max_in_flight_bytes = 64u << 20;              // of their records; reading pauses beyond
  size_t max_connections = 1024;                       // of one server; further ones are closed at once
  Duration record_timeout = std::chrono::seconds(30);  // from a record's first byte to its last
  Duration write_timeout = std::chrono::seconds(60);   // for a peer that does not read its replies
};

// An outgoing call under construction.
class Call {
 public:
  Call(uint32_t program, uint32_t version, uint32_t procedure, const Credential& credential);
  Arena& arena() { return arena_; }
  // Encode the arguments here; large opaque data is referenced (see Request::begin_reply).
  xdr::Encoder& args() { return encoder_; }
  void hold(std::shared_ptr<const void> what) { held_.push_back(std::move(what)); }
  // Fault actions, as for Request.
  void duplicate(uint32_t times) { treatment_.duplicate = times; }
  void hold_behind(uint32_t messages) { treatment_.behind = messages; }
  void remark(std::string_view text) { treatment_.remark = text; }

 private:
  friend class Connection;
  Arena arena_;
  xdr::Encoder encoder_;
  Treatment treatment_;
  xdr::Encoder::Slot mark_;  // the xid follows it
  std::vector<std::shared_ptr<const void>> held_;
};

// The answer to a call: views decoded from results() live as long as this.
class Reply {
 public:
  Reply(Buffer record, size_t record_bytes)
      : record_(std::move(record)), results_({record_.data(), record_bytes}, arena_) {}
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  Arena& arena() { return arena_; }
  xdr::Decoder& results() { return results_; }

 private:
  friend class Connection;
  Buffer record_;
  Arena arena_;
  xdr::Decoder results_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Made by Server and Client. `tasks` runs reader and writer, `handlers` the calls that come in.
  struct Environment {
    io::TimerQueue* timers;
    io::TaskGroup* tasks;
    io::TaskGroup* handlers;
    Dispatcher* dispatcher;
    std::shared_ptr<BufferPool> buffers;
    Limits limits;
    Observer* observer;                 // may be null
    fault::Injector* faults = nullptr;  // may be null; asked at CONNECT and RECORD
  };
  Connection(uint64_t id, std::unique_ptr<io::Stream> stream, const Environment& environment);
  ~Connection();

  uint64_t id() const { return id_; }  // never reused within its Server or Client
  const io::Endpoint& local() const { return local_; }
  const io::Endpoint& remote() const { return remote_; }
  const std::string& remote_text() const { return remote_text_; }  // for traces
  bool accepted() const { return accepted_; }  // the peer connected to us
  bool closed() const { return closed_; }
  bool watched() const { return watched_; }       // somebody wants to know why (io::Stream)
  const std::string& close_reason() const { return close_reason_; }

  // Sends the call and waits for its reply. A reply that is not SUCCESS is an error: Errc::unsupported (program,
  // version, procedure), Errc::protocol (GARBAGE_ARGS or a reply that cannot be read), Errc::permission (AUTH_ERROR),
  // Errc::io (SYSTEM_ERR). Errc::timeout: no reply in time (one that comes later is ignored). Errc::closed.
  io::Task<Result<std::unique_ptr<Reply>>> call(std::unique_ptr<Call> call, Duration timeout);

  // Ends the connection: waiting calls fail with Errc::closed, unsent replies are thrown away. May be called twice.
  void close(std::string_view reason);
  // The same with a TCP reset.
  void reset(std::string_view reason);

  // From now on everything that comes is read and ignored, and nothing is sent (a fault action).
  void black_hole();

  // Called once, when the connection closes (at once if it is closed). The token takes the notice back.
  using CloseToken = uint64_t;
  CloseToken on_close(std::function<void(Connection&)> action);
  void forget_close(CloseToken token);

  size_t in_flight() const { return in_flight_; }
  // Calls and replies that came, for status pages.
  uint64_t records_received() const { return records_received_; }

  // Spawns reader and writer; by Server and Client, once.
  void start(bool accepted);

 private:
  struct Pending;
  struct Outgoing {
    std::unique_ptr<Request> reply;
    std::unique_ptr<Call> call;
    const Treatment& treatment() const { return reply ? reply->treatment_ : call->treatment_; }
    std::span<const io::ConstBytes> finish();
  };
  struct Held {
    Outgoing message;
    uint32_t behind;
    io::TimerQueue::Id timer;
  };

  static io::Task<void> read_records(std::shared_ptr<Connection> self);
  static io::Task<void> write_records(std::shared_ptr<Connection> self);
  static io::Task<void> handle(std::shared_ptr<Connection> self, std::unique_ptr<Request> request,
                               io::Task<void> rest);
  void answer(std::unique_ptr<Request> request);
  bool take_ahead(Buffer& record, size_t& bytes);
  io::Task<Result<size_t>> read_record(Buffer& into);
  io::Task<Result<uint32_t>> read_mark();
  io::Task<Result<void>> read_into(std::span<std::byte> into);
  void take_record(Buffer record, size_t bytes);
  void take_call(Buffer record, size_t bytes);
  void take_reply(Buffer record, size_t bytes);
  io::Task<Result<void>> read_ahead();
  void send(Outgoing message);
  void enqueue(Outgoing message);
  void overtake();
  void discard(Outgoing& message);
  // Asks the fault injector and does what it says. False: the record (or connection) goes no further.
  io::Task<bool> consult(std::string_view op, Buffer* record, size_t* bytes);
  void release(const Request& request);
  bool full() const;
  void end(std::string reason, bool with_reset);

  // One thing that must not take for ever. Its timer is armed lazily: once for many records that each end in time.
  struct Watch {
    std::optional<TimePoint> began;
    io::TimerQueue::Id timer = 0;
  };
  void begin(Watch Connection::*watch, Duration limit, std::string_view what);
  void check(Watch Connection::*watch, Duration limit, std::string_view what);

  uint64_t id_;
  std::unique_ptr<io::Stream> stream_;
  Environment env_;
  io::Endpoint local_;
  io::Endpoint remote_;
  std::string remote_text_;
  bool accepted_ = false;
  bool watched_ = false;
  bool closed_ = false;
  bool black_hole_ = false;
  std::string close_reason_;

  // Reading: bytes read ahead of the record in hand.
  static constexpr size_t kAheadBytes = 8192;
  std::vector<std::byte> ahead_;
  size_t ahead_begin_ = 0;
  size_t ahead_end_ = 0;
  uint64_t records_received_ = 0;
  Watch record_watch_;

  size_t in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
  io::Event room_;

  std::deque<Outgoing> queue_;
  std::deque<Held> held_;
  io::Event queued_;
  Watch write_watch_;

  uint32_t next_xid_;
  std::unordered_map<uint32_t, Pending*> pending_;

  CloseToken next_token_ = 1;
  std::map<CloseToken, std::function<void(Connection&)>> close_actions_;
};

}  // namespace pnfs::rpc
