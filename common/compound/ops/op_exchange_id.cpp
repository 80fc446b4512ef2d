// EXCHANGE_ID (RFC 8881 18.35): a client introduces itself and gets a client id.
//
// Errors:
//   NFS4ERR_INVAL          an unknown bit in eia_flags, or EXCHGID4_FLAG_CONFIRMED_R; SP4_MACH_CRED without RPCSEC_GSS;
//                          implementation names that are not UTF-8
//   NFS4ERR_HASH_ALG_UNSUPP  SP4_SSV: no hash algorithm is supported here
//   NFS4ERR_CLID_INUSE     the owner string belongs to another principal with state (18.35.4, 3)
//   NFS4ERR_NOENT, NFS4ERR_NOT_SAME, NFS4ERR_PERM  an update of what is not there, not the same, not yours (7, 8, 9)
//   NFS4ERR_DELAY          all client records are in use
#include "common/base/utf8.hpp"
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

using nfs::fail;

namespace {

constexpr uint32_t kKnownExchangeIdFlags = nfs::EXCHGID4_FLAG_SUPP_MOVED_REFER | nfs::EXCHGID4_FLAG_SUPP_MOVED_MIGR |
                                 nfs::EXCHGID4_FLAG_BIND_PRINC_STATEID | nfs::EXCHGID4_FLAG_MASK_PNFS |
                                 nfs::EXCHGID4_FLAG_UPD_CONFIRMED_REC_A;

nfs::Status check_protection(const nfs::state_protect4_a& protect) {
  switch (protect.spa_how) {
    case nfs::SP4_NONE:
      return {};
    case nfs::SP4_MACH_CRED:
      // 18.35.3: such a request MUST come with RPCSEC_GSS, and this server has none.
      return fail(nfs::NFS4ERR_INVAL, "18.35.3", "SP4_MACH_CRED needs RPCSEC_GSS with integrity, this is AUTH_SYS");
    default:
      return fail(nfs::NFS4ERR_HASH_ALG_UNSUPP, "18.35.3", "SP4_SSV: none of the {} hash algorithms is supported",
                  protect.spa_ssv_parms.ssp_hash_algs.size());
  }
}

nfs::Opaque<nfs::NFS4_OPAQUE_LIMIT> opaque(std::string_view text) {
  return {std::as_bytes(std::span(text.data(), text.size()))};
}

}  // namespace

nfs::Status op_exchange_id(Context& context, const nfs::EXCHANGE_ID4args& args, nfs::EXCHANGE_ID4res& res) {
  if (const uint32_t unknown = args.eia_flags & ~kKnownExchangeIdFlags; unknown != 0) {
    return fail(nfs::NFS4ERR_INVAL, "18.35.3", "eia_flags has bits {:#x}, which requests must not have", unknown);
  }
  if (nfs::Status status = check_protection(args.eia_state_protect); !status) return status;
  session::Implementation implementation;
  for (const nfs::nfs_impl_id4& id : args.eia_client_impl_id) {
    if (!is_utf8(id.nii_domain.text) || !is_utf8(id.nii_name.text)) {
      return fail(nfs::NFS4ERR_INVAL, "14.5", "eia_client_impl_id has a name that is not UTF-8");
    }
    implementation = {std::string(id.nii_domain.text), std::string(id.nii_name.text)};
  }
  const auto& owner = args.eia_clientowner.co_ownerid.bytes;
  Role& role = context.role();
  const auto answer =
      role.sessions().exchange_id({.owner = {reinterpret_cast<const char*>(owner.data()), owner.size()},
                                   .verifier = args.eia_clientowner.co_verifier,
                                   .principal = context.principal(),
                                   .flags = args.eia_flags & ~nfs::EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
                                   .update = (args.eia_flags & nfs::EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) != 0,
                                   .implementation = std::move(implementation)},
                                  role.now());
  if (!answer.status) return answer.status;

  const Identity& identity = role.identity();
  nfs::EXCHANGE_ID4resok& ok = res.eir_resok4;
  ok.eir_clientid = answer.client;
  ok.eir_sequenceid = answer.sequence;
  ok.eir_flags = identity.pnfs_flags | identity.extra_flags;
  if (answer.confirmed) ok.eir_flags |= nfs::EXCHGID4_FLAG_CONFIRMED_R;
  ok.eir_server_owner.so_minor_id = identity.minor_id;
  ok.eir_server_owner.so_major_id = opaque(identity.major_id);
  ok.eir_server_scope = opaque(identity.scope);
  if (!identity.impl_name.empty()) {
    ok.eir_server_impl_id.items = context.arena().make_array<nfs::nfs_impl_id4>(1);
    ok.eir_server_impl_id[0].nii_domain.text = identity.impl_domain;
    ok.eir_server_impl_id[0].nii_name.text = identity.impl_name;
  }
  context.trace.note = fmt::format("client id {:#x}{}", answer.client, answer.confirmed ? ", confirmed" : "");
  return {};
}

}  // namespace pnfs::compound
