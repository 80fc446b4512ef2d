// csa_sec_parms and bca_sec_parms: which credentials callbacks may carry (RFC 8881 18.33, 18.36).
#pragma once

#include "common/nfs/security.hpp"
#include "common/session/types.hpp"

namespace pnfs::compound {

struct CallbackSecurityList {
  std::vector<session::CallbackSecurity> usable;  // AUTH_NONE and AUTH_SYS, in the client's order
  bool has_gss = false;
  bool only_gss = false;
};
CallbackSecurityList read_callback_security(const nfs::Array<nfs::callback_sec_parms4>& offered);

}  // namespace pnfs::compound
