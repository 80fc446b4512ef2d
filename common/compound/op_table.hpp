// Which function answers which operation. A role lists its operations one line each:
//
//   OpTable<MdsContext> ops;
//   add_shared_ops(ops);                      // sessions, PUTFH, GETFH, SAVEFH, RESTOREFH, PUTROOTFH, PUTPUBFH
//   ops.op<OP_LOOKUP, op_lookup>();
//   ops.op<OP_READ, op_read>();
//   ops.not_supported({OP_OPENATTR, ...});    // NFS4ERR_NOTSUPP for good: optional operations
//
// A handler is
//   nfs::Status op_lookup(MdsContext&, const LOOKUP4args&, LOOKUP4res&)            // no coroutine frame
//   io::Task<nfs::Status> op_read(MdsContext&, const READ4args&, READ4res&)        // may co_await
//   compound::Answer op_getattr(MdsContext&, const GETATTR4args&, GETATTR4res&)    // one or the other
// or, for an operation without arguments, the same without the second parameter. Arguments and results live in the
// request's arena until the reply has left, so a coroutine may keep the references. The handler fills the result's
// NFS4_OK arm (or the arm of the error it returns, where the RFC has one: LOCK4denied, logr_will_signal_layout_avail,
// SETATTR's attrsset); the status itself is written by the dispatcher from what the handler returns.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <vector>

#include "common/compound/context.hpp"
#include "common/io/task.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"

namespace pnfs::compound {

// What a handler returns: how the operation ended, or the coroutine that will tell.
struct Answer {
  Answer(nfs::Status status) : status(std::move(status)) {}
  Answer(io::Task<nfs::Status> rest) : rest(std::move(rest)) {}
  nfs::Status status;                       // without `rest`
  std::optional<io::Task<nfs::Status>> rest;  // has not begun to run
};

// An operation without its types: what the dispatcher works with.
struct Operation {
  const nfs::OpInfo* info = nullptr;
  void* (*make_args)(Arena&) = nullptr;
  void* (*make_result)(Arena&) = nullptr;
  Answer (*run)(Context&, const void* args, void* result) = nullptr;

  bool built() const { return run != nullptr; }
};

class OpTableBase {
 public:
  static constexpr uint32_t kFirst = nfs::OP_ACCESS;
  static constexpr uint32_t kEnd = nfs::OP_RECLAIM_COMPLETE + 1;  // minor version 1

  // A number that minor version 1 defines (the ones it took over from 4.0 only to forbid them included).
  static bool known(uint32_t op) { return op >= kFirst && op < kEnd; }
  const Operation& find(nfs::nfs_opnum4 op) const { return table_[op]; }

  void not_supported(std::initializer_list<nfs::nfs_opnum4> ops) { not_supported_.insert(not_supported_.end(), ops); }
  const std::vector<nfs::nfs_opnum4>& not_supported() const { return not_supported_; }
  // Operations of RFC 8881 that are neither built nor on a list: a table is complete when this is empty.
  std::vector<nfs::nfs_opnum4> forgotten() const;

 protected:
  // Throws std::logic_error when a handler's types are not those of the operation (args nullptr: it takes none).
  static void check_types(nfs::nfs_opnum4 op, const xdr::TypeInfo* args, const xdr::TypeInfo* result);
  std::array<Operation, kEnd> table_{};

 private:
  std::vector<nfs::nfs_opnum4> not_supported_;
};

namespace detail {

template <class Handler>
struct HandlerTraits;
template <class R, class C, class A, class Res>
struct HandlerTraits<R (*)(C&, const A&, Res&)> {
  using Return = R;
  using Ctx = C;
  using Args = A;
  using Result = Res;
  static constexpr bool has_args = true;
};
template <class R, class C, class Res>
struct HandlerTraits<R (*)(C&, Res&)> {
  using Return = R;
  using Ctx = C;
  using Args = nfs::ILLEGAL4args;  // empty
  using Result = Res;
  static constexpr bool has_args = false;
};

template <class T>
void* make(Arena& arena) {
  return arena.make<T>();
}

}  // namespace detail

template <class Ctx>
class OpTable : public OpTableBase {
 public:
  template <nfs::nfs_opnum4 Op, auto Handler>
  OpTable& op() {
    using T = detail::HandlerTraits<decltype(Handler)>;
    static_assert(std::is_base_of_v<typename T::Ctx, Ctx>, "a handler of another role's context");
    static_assert(Op < kEnd);
    Operation& entry = table_[Op];
    entry.info = nfs::find_op(Op);
    entry.make_args = &detail::make<typename T::Args>;
    entry.make_result = &detail::make<typename T::Result>;
    check_types(Op, T::has_args ? &xdr::type_info<typename T::Args> : nullptr, &xdr::type_info<typename T::Result>);
    entry.run = [](Context& context, const void* args, void* result) -> Answer {
      auto& c = static_cast<typename T::Ctx&>(context);
      auto& r = *static_cast<typename T::Result*>(result);
      if constexpr (T::has_args) {
        return Handler(c, *static_cast<const typename T::Args*>(args), r);
      } else {
        (void)args;
        return Handler(c, r);
      }
    };
    return *this;
  }
};

// EXCHANGE_ID, CREATE_SESSION, BIND_CONN_TO_SESSION, SEQUENCE, DESTROY_SESSION, DESTROY_CLIENTID, RECLAIM_COMPLETE,
// BACKCHANNEL_CTL, SET_SSV, PUTFH, PUTROOTFH, PUTPUBFH, GETFH, SAVEFH, RESTOREFH: the same in every role.
template <class Ctx>
void add_shared_ops(OpTable<Ctx>& table);

}  // namespace pnfs::compound

#include "common/compound/ops/shared_ops.hpp"
