// One TCP connection, and with MaxConnections=1 one session: two coroutines, a reader that parses and carries out, and
// a writer that sends whatever has gathered in one write. SCSI commands never suspend, so only commands that wait for
// data (or are delayed by a fault) exist as tasks.
//
// connection.cpp: reading and framing · connection_login.cpp · connection_tasks.cpp: SCSI commands and their data ·
// connection_send.cpp: everything outgoing · connection_control.cpp: NOP, text, task management, logout.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "testbed/target/command_window.hpp"
#include "testbed/target/server.hpp"

namespace pnfs::target {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, std::unique_ptr<io::Stream> stream);

  // Both end after close(), or when the peer goes away. The shared pointers keep the object until then.
  static io::Task<void> read_loop(std::shared_ptr<Connection> self);
  static io::Task<void> write_loop(std::shared_ptr<Connection> self);

  // Ends everything at once. May be called at any time, more than once.
  void close(std::string_view why, bool with_reset = false);

  // Ends the tasks at `unit` (nullptr: all) without an answer.
  void abort_tasks(const scsi::LogicalUnit* unit);
  void request_logout(uint16_t seconds);
  // Sent behind everything queued, then the connection closes.
  void send_async_drop(std::string_view why);

  const LoginOutcome& login() const { return machine_.outcome(); }
  uint16_t tsih() const { return tsih_; }
  io::Endpoint peer() const { return stream_->remote(); }
  const SessionParameters& parameters() const { return machine_.outcome().parameters; }

 private:
  struct Sequence {  // of Data-Out PDUs: unsolicited, or the answer to one R2T
    uint32_t transfer_tag = kReservedTag;
    uint32_t offset = 0;
    uint32_t length = 0;
    uint32_t received = 0;
    uint32_t next_data_sn = 0;
  };
  struct Task {
    uint32_t tag = 0;
    uint64_t wire_lun = 0;
    scsi::Command command;
    Buffer buffer;
    uint32_t wanted = 0;  // bytes of data
    uint32_t received = 0;
    uint32_t solicited = 0;  // up to which offset data came unasked or were asked for
    bool unsolicited_open = false;
    uint32_t next_r2t_sn = 0;
    std::vector<Sequence> sequences;
    bool counted = false;  // its buffer counts against kMaxSolicitedBytes
    io::TimerQueue::Id delay_timer = 0;
    std::string_view fault;
    std::optional<FaultAction> action;  // what a rule wants done to it
  };
  struct OutPdu {
    std::array<uint8_t, kHeaderBytes + 4> head;
    std::array<uint8_t, 8> tail;  // padding and data digest
    uint8_t head_bytes = kHeaderBytes;
    uint8_t tail_bytes = 0;
    ConstBytes data;
    Buffer buffer;               // what data points into, or
    std::vector<uint8_t> bytes;  // that
    std::string remark;          // for who watches the stream
  };
  // A data segment that is being read straight to where it belongs.
  struct Placing {
    bool active = false;
    Header header;
    uint8_t* next = nullptr;
    uint32_t left = 0;
    Task* task = nullptr;  // Data-Out; its buffer moves to `buffer` if the task is aborted meanwhile
    Buffer buffer;         // immediate data of a new command
  };

  // --- reading (connection.cpp)
  bool parse_one();  // false: more bytes are needed
  bool try_placing(const Header& header, size_t header_bytes);
  bool finish_placing();
  bool check_data_digest(const Header& header, ConstBytes data, const uint8_t* tail);
  void handle(const Header& header, ConstBytes data, Buffer placed);
  void dispatch(const Header& header, ConstBytes data, Buffer placed);
  void deliver_held();
  void protocol_error(const Header& header, std::string_view what, RejectReason reason = RejectReason::protocol_error);
  void make_room(size_t bytes);
  size_t available() const { return end_ - begin_; }
  void arm_idle_timer();
  void on_idle();

  // --- login (connection_login.cpp)
  void on_login(const Header& header, ConstBytes data);

  // --- tasks (connection_tasks.cpp)
  void on_scsi_command(const Header& header, ConstBytes data, Buffer placed);
  void on_data_out(const Header& header, ConstBytes data, bool placed);
  // Where this Data-Out's data belong; nullptr when it is not in order. No side effect.
  uint8_t* data_out_place(const Header& header, Task*& task);
  void run(Task& task);
  void carry_out(Task& task);
  // Moves a task that has to wait to the table, with data of its own.
  Task& keep(Task& task);
  void start_delay(Task& task);
  FaultAction ask_fault(const scsi::Command& command) const;
  // True: the action took the place of carrying it out, and the task is over or waits.
  bool apply_fault(Task& task, const FaultAction& action);
  void answer(Task& task);
  void fail_task(Task& task, scsi::Asc asc);
  void solicit(Task& task);
  void solicit_waiting();
  void end_task(uint32_t tag);
  void release(Task& task);
  void remark(const Task& task, bool answered);
  void record(const Task& task, uint64_t bytes) const;

  // --- control (connection_control.cpp)
  void on_nop_out(const Header& header, ConstBytes data);
  void on_text(const Header& header, ConstBytes data);
  void on_task_management(const Header& header);
  uint8_t manage_tasks(const Header& header);
  void on_logout(const Header& header);
  void send_text(const Header& request);

  // --- sending (connection_send.cpp)
  // Fills StatSN (advanced when `status`), ExpCmdSN and MaxCmdSN and queues.
  void send(Header& header, bool status, ConstBytes data = {}, Buffer owner = {}, std::vector<uint8_t> bytes = {});
  void send_response(const Task& task);
  void send_data_in(Task& task);
  void send_reject(RejectReason reason, const Header& bad);
  void kick();

  Server& server_;
  std::unique_ptr<io::Stream> stream_;
  std::unique_ptr<LoginDirectory> directory_;
  LoginMachine machine_;
  io::Event wake_writer_;
  io::Event taken_;
  io::Event reader_done_;
  bool closed_ = false;
  bool close_when_drained_ = false;
  std::string why_closed_;

  std::vector<uint8_t> input_;
  size_t begin_ = 0;
  size_t end_ = 0;
  Placing placing_;

  std::vector<OutPdu> queue_;
  size_t queued_bytes_ = 0;

  bool full_feature_ = false;
  bool digests_on_ = false;  // from the PDU after the last login response
  uint16_t tsih_ = 0;
  Target* target_ = nullptr;
  const scsi::Nexus* nexus_ = nullptr;
  uint32_t stat_sn_ = 1;
  CommandWindow window_;
  struct Held {
    Header header;
    std::vector<uint8_t> data;
  };
  std::map<uint32_t, Held> held_;  // by CmdSN
  std::unordered_map<uint32_t, std::unique_ptr<Task>> tasks_;
  std::deque<uint32_t> waiting_for_room_;
  uint64_t solicited_bytes_ = 0;
  uint32_t last_transfer_tag_ = 0;

  std::string text_request_;
  std::string text_answer_;  // what is still to be sent of it
  uint32_t text_tag_ = 0;

  io::TimerQueue::Id idle_timer_ = 0;
  TimePoint last_heard_{};
  bool ping_sent_ = false;
};

}  // namespace pnfs::target
