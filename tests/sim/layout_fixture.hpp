// A cluster and a client that asks layout operations one by one.
#pragma once

#include "common/nfs/attributes.hpp"
#include "common/xdr/codec.hpp"
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::OpenHow;

template <class Res>
struct Asked {
  client::ReplyPtr reply;
  const Res* res = nullptr;
  nfsstat4 status() const { return reply ? reply->status() : NFS4ERR_SERVERFAULT; }
  const Res* operator->() const { return res; }
};

struct LayoutTest : ClusterTest {
  static Options quick(std::string_view words = "") {
    Options options;
    options.mds.lease = 10s;
    options.mds.personality = *mds::layout::make_personality("modern");
    const auto good = mds::layout::apply_words(*options.mds.personality, words);
    EXPECT_TRUE(good) << good.error().reason;
    return options;
  }

  // PUTFH and one operation, at the MDS (tried again while it says DELAY) or at `session`.
  template <class Res, class Args>
  Asked<Res> ask(client::FileSystem& fs, std::span<const std::byte> fh, nfs_opnum4 op, const Args& args,
                 client::Session* session = nullptr) {
    auto build = [&] {
      auto compound = client::Compound::in_session();
      compound->putfh(fh).add(op, args).cache();
      return compound;
    };
    auto reply = session != nullptr ? run(session->run(build())) : run(fs.run(build));
    EXPECT_TRUE(reply) << client::to_string(reply.error());
    if (!reply) return {};
    (*reply)->ok(OP_PUTFH);
    const Res& res = (*reply)->template get<Res>(op);
    return {std::move(*reply), &res};
  }

  static LAYOUTGET4args get_args(const client::FilePtr& file, layoutiomode4 iomode = LAYOUTIOMODE4_RW,
                                 uint64_t offset = 0, uint64_t length = NFS4_UINT64_MAX, uint64_t minlength = 4096) {
    LAYOUTGET4args args;
    args.loga_iomode = iomode;
    args.loga_offset = offset;
    args.loga_length = length;
    args.loga_minlength = minlength;
    args.loga_stateid = file->layout ? file->layout->stateid : file->stateid;
    args.loga_maxcount = 4096;
    return args;
  }
  Asked<LAYOUTGET4res> get(const client::FilePtr& file, const LAYOUTGET4args& args) {
    return ask<LAYOUTGET4res>(*fs, file->fh, OP_LAYOUTGET, args);
  }
  Asked<LAYOUTRETURN4res> give_back(const client::FilePtr& file, layoutreturn_type4 type = LAYOUTRETURN4_FILE,
                                    uint64_t offset = 0, uint64_t length = NFS4_UINT64_MAX,
                                    layoutiomode4 iomode = LAYOUTIOMODE4_ANY) {
    LAYOUTRETURN4args args;
    args.lora_iomode = iomode;
    args.lora_layoutreturn.lr_returntype = type;
    auto& what = args.lora_layoutreturn.lr_layout;
    what.lrf_offset = offset;
    what.lrf_length = length;
    if (file->layout) what.lrf_stateid = file->layout->stateid;
    auto asked = ask<LAYOUTRETURN4res>(*fs, file->fh, OP_LAYOUTRETURN, args);
    if (asked.status() == NFS4_OK && type == LAYOUTRETURN4_FILE && file->layout) {
      if (asked->lorr_stateid.lrs_present) {
        file->layout->stateid = asked->lorr_stateid.lrs_stateid;
      } else {
        file->layout.reset();
      }
    }
    return asked;
  }

  // The place of a byte by the client's layout.
  struct Where {
    client::Session* session = nullptr;
    client::Fh fh;
    uint64_t offset = 0;
  };
  Where where(const client::FilePtr& file, uint64_t offset, const client::LayoutSegment& segment) {
    const auto device = run(fs->device(segment.device));
    EXPECT_TRUE(device);
    if (!device) return {};
    const auto place = client::place_of(segment, **device, offset);
    EXPECT_TRUE(place);
    if (!place) return {};
    const auto session = run(fs->data_server((*device)->data_servers[place->data_server]));
    EXPECT_TRUE(session) << client::to_string(session.error());
    if (!session) return {};
    return {*session, segment.handles.empty() ? file->fh : segment.handles[place->handle], place->offset};
  }
  stateid4 io_stateid(const client::FilePtr& file) {
    stateid4 stateid = file->stateid;
    stateid.seqid = 0;
    return stateid;
  }
  // One WRITE of 4 KiB by `segment`, whether the client holds it or not.
  nfsstat4 write_at(const client::FilePtr& file, uint64_t offset, const client::LayoutSegment& segment) {
    const Where at = where(file, offset, segment);
    if (at.session == nullptr) return NFS4ERR_IO;
    const auto data = pattern(4096, static_cast<uint32_t>(offset));
    return ask<WRITE4res>(*fs, at.fh, OP_WRITE, WRITE4args{io_stateid(file), at.offset, UNSTABLE4, {data}}, at.session)
        .status();
  }
  nfsstat4 read_at(const client::FilePtr& file, uint64_t offset, const client::LayoutSegment& segment) {
    const Where at = where(file, offset, segment);
    if (at.session == nullptr) return NFS4ERR_IO;
    return ask<READ4res>(*fs, at.fh, OP_READ, READ4args{io_stateid(file), at.offset, 4096}, at.session).status();
  }
};

}  // namespace pnfs::cluster
