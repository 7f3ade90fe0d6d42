/** The errors of the status page; a part of the table of all errors. */
export const PAGE_ERROR_KINDS = {
  SECRET_FILE_UNSAFE: {
    exit: 2,
    what: 'other users can read a file with a password or token of the status page, or the agent cannot',
    hint: 'make the file readable by the agent’s user only (mode 0600)',
  },
  SESSION_REQUIRED: {
    exit: 1,
    what: 'a request to the status page has no session, or one that has ended',
    hint: 'open the page with: sharedcloud-agent page',
  },
  SIGN_IN_REFUSED: {
    exit: 1,
    what: 'a link to the status page was used or is too old, or a password is wrong',
    hint: 'make another link: sharedcloud-agent page',
  },
  SIGN_IN_LIMITED: {
    exit: 1,
    what: 'too many wrong passwords were tried at the status page',
    hint: 'wait a minute, or open the page with: sharedcloud-agent page',
  },
  HOST_REFUSED: {
    exit: 1,
    what: 'the status page was asked for by a name that is not its own',
    hint: 'use the address that `sharedcloud-agent page` prints',
  },
  ORIGIN_REFUSED: {
    exit: 1,
    what: 'a page of another origin tried to use the status page',
    hint: 'open the page itself: sharedcloud-agent page; a proxy in front of it must keep the header Host',
  },
  PAGE_BUSY: {
    exit: 1,
    what: 'too many status pages are open at once',
    hint: 'close some of them',
  },
  PAGE_NOT_SERVED: {
    exit: 1,
    what: 'the status page is turned off, or cannot be served',
    hint: 'see `sharedcloud-agent check`',
  },
} as const;
