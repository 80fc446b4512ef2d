// BlockStore over iSCSI (libiscsi), asynchronous on the process's io_context.
//
// A lost session is re-established with the same ISID in the background; reads, writes, flushes and zeroing that were
// under way are issued again within `retry_for`, the epoch rises, and the callers see nothing but the delay. Persistent
// reservation commands are never repeated blindly: they fail with closed and the caller looks at reservation().
// After a re-login a registered store checks that its key is still registered; if not, every command fails with fenced
// until register_key() is called again.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::block {

struct IscsiUrl {
  std::string user, password;                // CHAP, empty if none
  std::string target_user, target_password;  // what the target has to prove (mutual CHAP), empty if nothing
  std::string host;
  uint16_t port = 3260;
  std::string target;  // iqn...
  uint32_t lun = 0;
  std::string portal() const;   // host:port, an IPv6 address in brackets
  std::string display() const;  // the URL without credentials
};
// iscsi://[user%password@]host[:port]/iqn/lun[?target_user=U&target_password=P]. invalid with a sentence.
Result<IscsiUrl> parse_iscsi_url(std::string_view text);

// The ISID of a session (RFC 7143 11.12.5), fixed per node so that the target sees the same initiator port again.
struct Isid {
  uint32_t random = 0;  // 24 bits, type "random" (10b)
  uint16_t qualifier = 0;
};

struct IscsiOptions {
  std::string initiator_name = "iqn.2026-01.org.pnfslab:node";
  Isid isid;
  uint32_t queue_depth = 64;  // commands outstanding at the target
  Duration login_timeout = std::chrono::seconds(5);
  Duration command_timeout = std::chrono::seconds(10);  // then the session is given up and made anew
  Duration retry_for = std::chrono::seconds(60);        // how long a command may be re-issued before it fails
};

// refused (no target there: which address, what to start), timeout, not_found (no such target or LUN), permission
// (login refused: CHAP, ACL), unsupported.
io::Task<Result<std::unique_ptr<BlockStore>>> open_iscsi(boost::asio::io_context& context, io::TimerQueue& timers,
                                                         std::string url, IscsiOptions options);

}  // namespace pnfs::block
