// Runs the operations of one COMPOUND in order (RFC 8881 16.2): decodes each when its turn comes, so that a malformed
// one answers NFS4ERR_BADXDR and keeps the results before it; stops at the first error; keeps to the session's limits;
// and leaves the answer in the session's reply cache.
//
// Most requests have nothing to wait for: begin() answers them in one go. Only the others cost a coroutine: rest().
#pragma once

#include "common/compound/op_counters.hpp"
#include "common/compound/step.hpp"

namespace pnfs::compound {

class CompoundRun {
 public:
  explicit CompoundRun(Context& context)
      : c_(context),
        role_(context.role()),
        counters_(OpCounters::of(role_.node())),
        request_(context.request()),
        args_(request_.args()) {}
  CompoundRun(const CompoundRun&) = delete;
  CompoundRun& operator=(const CompoundRun&) = delete;

  // As far as it goes without waiting. True: the answer is in context.request(), or it is dropped. GARBAGE_ARGS when not
  // even the tag, minor version and operation count can be read.
  bool begin();
  // Once, after begin() returned false: everything else.
  io::Task<void> rest();

 private:
  bool read_head();

  // One operation: opened, invoked, closed.
  void open_step();
  bool invoke();  // true: it has to wait
  void settle();
  void close_step();

  bool next();
  void choose(uint32_t number);
  nfs::Status may_stand_here() const;
  nfs::Status decode();
  nfs::Status fits() const;
  io::Task<nfs::Status> wait(io::Task<nfs::Status> rest);
  nfs::Status failed(const char* what) const;
  void encode();
  void too_large(const xdr::Encoder::Mark& before);

  void finish_head(nfs::nfsstat4 status, uint32_t results);
  io::Task<bool> go_on(fault::Stage stage);
  io::Task<void> make_durable();
  void leave_slot();
  void release_slot();
  bool faults(fault::Stage stage) const { return role_.faults().active(fault::Domain::operation, stage); }
  size_t reply_bytes() const { return rpc::kSuccessHeaderBytes + out_->size() - out_begin_; }

  Context& c_;
  Role& role_;
  OpCounters& counters_;
  rpc::Request& request_;
  xdr::Decoder& args_;
  xdr::Encoder* out_ = nullptr;
  size_t out_begin_ = 0;
  xdr::Encoder::Slot status_slot_ = nullptr;
  xdr::Encoder::Slot count_slot_ = nullptr;

  Step step_;          // the operation at c_.op_index
  bool good_ = false;  // it was readable and allowed
  std::optional<io::Task<nfs::Status>> pending_;
  bool over_ = false;  // there is no further operation to run

  bool faulty_ = false;                  // fault rules are asked at each step
  std::vector<std::string_view> names_;  // only for them
  nfs::nfsstat4 status_ = nfs::NFS4_OK;
  uint32_t results_ = 0;
  struct Undo {  // where the results after SEQUENCE begin
    std::optional<xdr::Encoder::Mark> mark;
    nfs::nfs_opnum4 op = nfs::OP_ILLEGAL;
    uint32_t results = 0;
  } undo_;
};

}  // namespace pnfs::compound
