// The operations that are the same in every role; each stands in its own file of this folder.
#pragma once

#include "common/compound/op_table.hpp"
#include "common/nfs/session.hpp"

namespace pnfs::compound {

nfs::Status op_exchange_id(Context&, const nfs::EXCHANGE_ID4args&, nfs::EXCHANGE_ID4res&);
nfs::Status op_create_session(Context&, const nfs::CREATE_SESSION4args&, nfs::CREATE_SESSION4res&);
nfs::Status op_bind_conn_to_session(Context&, const nfs::BIND_CONN_TO_SESSION4args&, nfs::BIND_CONN_TO_SESSION4res&);
nfs::Status op_sequence(Context&, const nfs::SEQUENCE4args&, nfs::SEQUENCE4res&);
nfs::Status op_destroy_session(Context&, const nfs::DESTROY_SESSION4args&, nfs::DESTROY_SESSION4res&);
nfs::Status op_destroy_clientid(Context&, const nfs::DESTROY_CLIENTID4args&, nfs::DESTROY_CLIENTID4res&);
nfs::Status op_reclaim_complete(Context&, const nfs::RECLAIM_COMPLETE4args&, nfs::RECLAIM_COMPLETE4res&);
nfs::Status op_backchannel_ctl(Context&, const nfs::BACKCHANNEL_CTL4args&, nfs::BACKCHANNEL_CTL4res&);
nfs::Status op_set_ssv(Context&, const nfs::SET_SSV4args&, nfs::SET_SSV4res&);
nfs::Status op_putfh(Context&, const nfs::PUTFH4args&, nfs::PUTFH4res&);
nfs::Status op_putrootfh(Context&, nfs::PUTROOTFH4res&);
nfs::Status op_putpubfh(Context&, nfs::PUTPUBFH4res&);
nfs::Status op_getfh(Context&, nfs::GETFH4res&);
nfs::Status op_savefh(Context&, nfs::SAVEFH4res&);
nfs::Status op_restorefh(Context&, nfs::RESTOREFH4res&);

template <class Ctx>
void add_shared_ops(OpTable<Ctx>& table) {
  table.template op<nfs::OP_EXCHANGE_ID, op_exchange_id>();
  table.template op<nfs::OP_CREATE_SESSION, op_create_session>();
  table.template op<nfs::OP_BIND_CONN_TO_SESSION, op_bind_conn_to_session>();
  table.template op<nfs::OP_SEQUENCE, op_sequence>();
  table.template op<nfs::OP_DESTROY_SESSION, op_destroy_session>();
  table.template op<nfs::OP_DESTROY_CLIENTID, op_destroy_clientid>();
  table.template op<nfs::OP_RECLAIM_COMPLETE, op_reclaim_complete>();
  table.template op<nfs::OP_BACKCHANNEL_CTL, op_backchannel_ctl>();
  table.template op<nfs::OP_SET_SSV, op_set_ssv>();
  table.template op<nfs::OP_PUTFH, op_putfh>();
  table.template op<nfs::OP_PUTROOTFH, op_putrootfh>();
  table.template op<nfs::OP_PUTPUBFH, op_putpubfh>();
  table.template op<nfs::OP_GETFH, op_getfh>();
  table.template op<nfs::OP_SAVEFH, op_savefh>();
  table.template op<nfs::OP_RESTOREFH, op_restorefh>();
}

}  // namespace pnfs::compound
