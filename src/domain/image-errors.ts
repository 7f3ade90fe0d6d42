/** The errors of images; a part of `ERROR_KINDS`. */
export const IMAGE_ERROR_KINDS = {
  IMAGE_NOT_FOUND: {
    exit: 5,
    what: 'the image does not exist in its registry',
    hint: 'ignore it, unless the image is yours: then correct its name or push it',
  },
  IMAGE_PULL_FAILED: {
    exit: 5,
    what: 'the image could not be pulled',
    hint: 'check this host’s internet connection and free disk space; the agent pulls again by itself',
  },
  IMAGE_REFUSED: {
    exit: 5,
    what: 'the image breaks one of the owner’s rules (allow-list, size)',
    hint: 'ignore it, unless you want such images: then change --images or --max-image-size',
  },
  IMAGE_PLATFORM: {
    exit: 5,
    what: 'the image is made for another CPU architecture or operating system than this host’s Docker',
    hint: 'ignore it, unless the image is yours: then build it for this host’s platform too; emulation is not used',
  },
  IMAGE_UNSUPPORTED: {
    exit: 5,
    what: 'the registry’s answer is not an image that Docker can use (old schema, other media type, web page)',
    hint: 'ignore it, unless the image is yours: then push it again with a current Docker',
  },
  IMAGE_CORRUPT: {
    exit: 5,
    what: 'what the registry sent does not have the digest that the image names',
    hint: 'look for a proxy or mirror that changes downloads, if it lasts; the agent pulls again by itself',
  },
  IMAGE_STORE_CORRUPT: {
    exit: 5,
    what: 'Docker’s own store of images on this host is damaged',
    hint: 'restart Docker; if it lasts, run `docker image prune -a`, which removes all unused images',
  },
  IMAGE_STORE_FULL: {
    exit: 5,
    what: 'the file system of Docker’s images has no space or inodes left',
    hint: 'see `docker system df`, `df -h` and `df -i`, then free space with `docker image prune`',
  },
  IMAGE_NAME_INVALID: {
    exit: 2,
    what: 'a text is not the name of an image',
    hint: 'write it as `docker pull` takes it, such as pytorch/pytorch:2.9.1-cuda13.0-cudnn9-runtime',
  },
  IMAGE_PINS_FULL: {
    exit: 1,
    what: 'there are too many pinned images to add another one',
    hint: 'end those that are no longer needed with `sharedcloud-agent images unpin IMAGE`',
  },
  IMAGES_UNKNOWN: {
    exit: 1,
    what: 'this agent keeps no images, because its jobs run in no containers',
    hint: 'ask an agent with a Docker engine: a dry run has none',
  },
} as const;
