// The data server's end of the control program: joins the cluster, keeps the lease, asks for grants and verdicts, and
// answers the MDS's revokes.
//
// Threading: the executor's thread. Life: join() once, then keep_lease() in a task group until stop().
#pragma once

#include <functional>
#include <memory>

#include "common/control/control_service.hpp"
#include "common/control/wire.hpp"
#include "common/io/event.hpp"
#include "common/io/task_group.hpp"
#include "common/rpc/client.hpp"
#include "ds/grants/grant_cache.hpp"
#include "ds/grants/verdict_cache.hpp"
#include "ds/options.hpp"
#include "ds/questions.hpp"

namespace pnfs::ds {

inline constexpr Duration kCallTimeout = std::chrono::seconds(5);  // GRANT waits for others at the MDS up to 2 s

// What a refusal by the MDS means to a caller here.
Error error_of(control::control_status status, std::string_view reason);

class MdsLink final : public control::ControlService {
 public:
  struct Identity {
    std::array<std::byte, 16> volume_uuid{};
    std::string major_id;
    std::vector<io::Endpoint> addresses;  // an unspecified IP: the MDS fills in what the client uses
  };
  MdsLink(const Options& options, const Seams& seams);
  ~MdsLink() override;

  // Tries until it is a member or options.join_timeout has passed. Errors are sentences.
  io::Task<Result<void>> join(Identity identity);
  // Keeps the lease; joins again when it is lost or the MDS starts anew. Ends only when cancelled.
  io::Task<void> keep_lease();
  // Gives everything back if it can, and closes.
  io::Task<void> stop(bool clean);

  // The right to touch the volume, by this node's own clock: checked before each command and before each reply
  // (design, Fencing that holds).
  bool lease_valid() const;
  uint32_t node_id() const { return node_id_; }
  uint64_t mds_epoch() const { return mds_epoch_; }
  Duration client_lease() const { return client_lease_; }
  const std::string& server_scope() const { return server_scope_; }
  // Some layouts have no filehandles: clients come with those of OPEN (RFC 8881 13.3).
  bool takes_mds_handles() const { return takes_mds_handles_; }
  // The device refused us: stop everything and come back under a new key.
  void fenced();

  // verifier4 for writes that were submitted now (design, NFS stability on SCSI). `thru_mds`: the value that the MDS's
  // COMMIT will answer with; false when this node knows of a newer device epoch than the MDS does: answer DELAY.
  bool write_verifier(bool thru_mds, std::array<std::byte, 8>& out) const;

  // What happened since the start; for tests and statistics.
  struct Counters {
    uint64_t lives = 0;    // registrations under a new instance
    uint64_t fenced = 0;   // found out at the device
    uint64_t crossed = 0;  // grants that were revoked before they arrived
  };
  const Counters& counters() const { return counters_; }

  GrantCache& grants() { return grants_; }
  VerdictCache& verdicts() { return verdicts_; }
  // After an unpin that freed something: wakes the revokes that wait for it.
  void released(const std::vector<GrantCache::Gone>& gone);
  void verdict_released() { released_.notify_all(); }

  // Asks for a grant and files the answer; with `join`, when the same is being asked for this file already, waits for that
  // answer instead: look again. Errors: timeout or closed (the MDS is away), busy (DELAY), no_space,
  // not_found (the file is gone), io.
  // `cause`, here and below: the request that needs it, as in the trace.
  io::Task<Result<void>> ask_grant(uint64_t cause, uint64_t fileid, uint64_t generation, Access access, control::StripeSet set,
                                   control::ByteRange need, uint64_t extend, bool join);
  // nfsstat4 and reason when the MDS refuses; an Error when it could not be asked.
  struct Refusal {
    uint32_t nfs_status = 0;
    std::string reason;
  };
  struct Question {
    std::string co_ownerid;
    std::string principal;
    uint32_t seqid = 0;
    uint32_t access = 0;
  };
  // True: the verdict was filed under `key`. False: look again, and ask again if need be: it was revoked meanwhile, or
  // somebody else's answer was waited for (`join`).
  io::Task<Result<bool>> ask_verdict(uint64_t cause, VerdictCache::Key key, Question question, Refusal& refusal, bool join);
  // The MDS holds it durably that the file is that long, unless it has cut the file since; `touch`: and its times. Waits
  // for nobody's pins but those under a revoke: hold none of this file.
  io::Task<Result<void>> file_changed(uint64_t cause, uint64_t fileid, uint64_t generation, uint64_t size_at_least,
                                      bool touch);
  // Before COMMIT is answered: what was written here will be found even if nobody sends a LAYOUTCOMMIT any more. Waits a
  // bounded time for an MDS that is away. False: it could not be told; the client must not forget its data.
  io::Task<bool> tell_size(uint64_t cause, uint64_t fileid);

 private:
  io::Task<bool> run(rpc::Request& request, control::control_proc proc, const void* args, void* res) override;
  std::string caller_name(const rpc::Request&) const override { return "mds"; }
  io::Task<Result<void>> connect_and_register();
  io::Task<Result<void>> register_key();
  io::Task<Result<void>> renew();
  io::Task<void> drop_everything();
  void sizes_are_lost();
  io::Task<void> return_surplus();
  io::Task<void> give_back(const std::vector<GrantCache::Gone>& grants, Duration timeout);
  io::Task<void> do_revoke(const control::REVOKEargs& args, control::REVOKEres& res, Arena& arena);
  io::Task<void> do_revoke_stateid(const control::REVOKE_STATEIDargs& args);
  std::shared_ptr<rpc::Connection> live() const;

  const Options& options_;
  Seams seams_;
  Identity identity_;
  rpc::Client client_;
  std::shared_ptr<rpc::Connection> connection_;
  GrantCache grants_;
  VerdictCache verdicts_;
  io::Event released_;
  Questions questions_;
  std::map<uint64_t, uint64_t> gone_;  // revoked grants whose last I/O has ended, with the end written

  Counters counters_;
  uint64_t instance_ = 0;
  uint64_t sizes_lost_ = 0;  // how often: part of the verifier
  uint64_t key_ = 0;
  bool need_new_life_ = true;
  uint32_t node_id_ = 0;
  uint64_t mds_epoch_ = 0;
  uint64_t mds_instance_ = 0;
  uint64_t write_epoch_ = 0;
  uint64_t told_store_epoch_ = 0;
  Duration node_lease_{};
  Duration client_lease_{};
  std::string server_scope_;
  bool takes_mds_handles_ = false;
  TimePoint lease_until_{};
  bool member_ = false;
};

}  // namespace pnfs::ds
