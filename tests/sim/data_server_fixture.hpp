// A file under an RW layout, and single operations at its data servers.
#pragma once

#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {

struct DataServerRules : ClusterTest {
  client::FilePtr file;

  static Options sparse(uint32_t unit = 64 * 1024) {
    Options options;
    options.mds.lease = 12s;
    mds::layout::Personality personality = *mds::layout::make_personality("modern");
    personality.striping.stripe_bytes = unit;
    options.mds.personality = personality;
    return options;
  }
  // A file of 1 MiB under an RW layout.
  void begin(Options options = sparse()) {
    start(std::move(options));
    file = create("file");
    ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
    ASSERT_DONE(run(fs->commit_striped(file)));
    ASSERT_DONE(run(fs->layoutcommit(file)));
  }
  client::Session& ds(uint32_t number, client::FileSystem* who = nullptr) {
    return **run((who != nullptr ? who : fs)->data_server({cluster().ds_address(number)}));
  }
  // The data server that has the byte, and its handle.
  uint32_t server_of(uint64_t offset) {
    const auto& segment = file->layout->segments.front();
    const auto device = run(fs->device(segment.device));
    const auto place = client::place_of(segment, **device, offset);
    for (uint32_t i = 1; i <= 2; ++i)
      if ((*device)->data_servers[place->data_server].front() == cluster().ds_address(i)) return i;
    return 0;
  }
  client::Fh handle() { return file->layout->segments.front().handles.front(); }
  static nfs::stateid4 zero(nfs::stateid4 stateid) {
    stateid.seqid = 0;
    return stateid;
  }

  // The status of one operation at a data server.
  template <class Args>
  nfs::nfsstat4 ask(client::Session& session, const client::Fh& fh, nfs::nfs_opnum4 op, const Args& args) {
    auto compound = client::Compound::in_session();
    compound->putfh(fh).add(op, args);
    auto reply = run(session.run(compound));
    if (!reply) return reply.error().status;
    return (*reply)->status();
  }
  nfs::nfsstat4 read(const nfs::stateid4& stateid, uint64_t offset = 0, uint32_t number = 0) {
    return ask(ds(number != 0 ? number : server_of(offset)), handle(), nfs::OP_READ,
               nfs::READ4args{stateid, offset, 4096});
  }
  nfs::nfsstat4 write(const nfs::stateid4& stateid, uint64_t offset = 0, uint32_t number = 0) {
    static const auto bytes = pattern(4096);
    return ask(ds(number != 0 ? number : server_of(offset)), handle(), nfs::OP_WRITE,
               nfs::WRITE4args{stateid, offset, nfs::UNSTABLE4, {bytes}});
  }
};

}  // namespace pnfs::cluster
