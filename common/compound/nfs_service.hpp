// RPC program 100003 version 4 over a role:
//
//   NfsService<MdsContext, Mds> service(mds);  server.add_service(service);
#pragma once

#include "common/compound/dispatcher.hpp"
#include "common/rpc/service.hpp"

namespace pnfs::compound {

class NfsServiceBase : public rpc::Service {
 public:
  uint32_t program() const override { return nfs::NFS4_PROGRAM; }
  uint32_t lowest_version() const override { return nfs::NFS_V4; }
  uint32_t highest_version() const override { return nfs::NFS_V4; }

 protected:
  // Answers what is not COMPOUND; true when it did.
  static bool answer_other(rpc::Request& request);
};

// Ctx is constructible from (rpc::Request&, R&); R derives from Role.
template <class Ctx, class R>
class NfsService final : public NfsServiceBase {
 public:
  explicit NfsService(R& role) : role_(role) {}
  io::Task<void> handle(rpc::Request& request) override {
    auto left = begin(request);
    if (left) co_await std::move(*left);
  }
  std::optional<io::Task<void>> begin(rpc::Request& request) override {
    if (answer_other(request)) return std::nullopt;
    auto running = std::make_unique<Running>(request, role_);
    if (running->compound.begin()) return std::nullopt;
    return rest(std::move(running));
  }

 private:
  struct Running {
    Running(rpc::Request& request, R& role) : context(request, role), compound(context) {}
    Ctx context;
    CompoundRun compound;
  };
  static io::Task<void> rest(std::unique_ptr<Running> running) { co_await running->compound.rest(); }

  R& role_;
};

}  // namespace pnfs::compound
