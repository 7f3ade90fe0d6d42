import { resolve } from 'node:path';
import { canonicalImageRef, parseImageRef } from '../domain/image-ref.ts';
import { Secret } from './secret.ts';
import { BadValue, list, quoted, single, type ValueType } from './value-type.ts';

/** One of some words. */
export function choice<const T extends string>(...words: readonly T[]): ValueType<T> {
  return single({
    metavar: words.join('|'),
    parse: (text) => {
      const found = words.find((word) => word === text.toLowerCase());
      if (found === undefined)
        throw new BadValue(`${quoted(text)} is not one of its values`, `write one of ${words.join(', ')}`);
      return found;
    },
  });
}

/** Yes or no; as a flag alone it is yes. */
export const yesNo: ValueType<boolean> = {
  ...single({
    metavar: 'yes|no',
    parse: (text) => {
      if (/^(?:yes|true|on|1)$/i.test(text)) return true;
      if (/^(?:no|false|off|0)$/i.test(text)) return false;
      throw new BadValue(`${quoted(text)} is neither yes nor no`, 'write yes or no');
    },
    show: (value) => (value ? 'yes' : 'no'),
  }),
  bare: 'yes',
};

/** An absolute path. */
export const absolutePath: ValueType<string> = single({
  metavar: 'PATH',
  parse: (text) => {
    if (!text.startsWith('/') || text.includes('\0'))
      throw new BadValue(`${quoted(text)} is not an absolute path`, 'write a path that begins with /');
    return text;
  },
});

/** A path; a relative one is resolved from the working directory. */
export const path: ValueType<string> = single({
  metavar: 'PATH',
  parse: (text) => {
    if (text === '' || text.includes('\0'))
      throw new BadValue(`${quoted(text)} is not a path`, 'write a path');
    if (text.startsWith('~'))
      throw new BadValue(`${quoted(text)} begins with ~, which only a shell expands`, 'write the whole path');
    return resolve(text);
  },
});

/** A path, or several with colons between them, of a variable that other programs read too; checked where it is used. */
export const foreignPath: ValueType<string> = single({ metavar: 'PATH', parse: (text) => text });

/** A program: a name in PATH, or a path. */
export const program: ValueType<string> = single({
  metavar: 'PROGRAM',
  parse: (text) => {
    if (text === '' || text.includes('\0'))
      throw new BadValue(`${quoted(text)} is not a program`, 'write a name or a path');
    return text;
  },
});

/** A pattern of image names; `*` matches any characters. */
export const imagePattern: ValueType<string> = single({
  metavar: 'PATTERN',
  parse: (text) => {
    if (!/^[A-Za-z0-9._\-/:@*]{1,512}$/.test(text))
      throw new BadValue(
        `${quoted(text)} cannot match any image`,
        'write an image name with * for any characters, such as sharedcloud/* or registry.example:5000/team/*:1.2',
      );
    return text;
  },
  warn: (pattern) =>
    /^[*/]+$/.test(pattern) ? `${quoted(pattern)} allows any image of any registry` : undefined,
});

const patterns = list(imagePattern);

/** The allow-list of images. */
export const imagePatterns: ValueType<readonly string[]> = {
  ...patterns,
  warn: (allowed) =>
    allowed.length === 0 ? 'no image is allowed, so no run is taken' : patterns.warn?.(allowed),
};

/** An image name, by default with the tag `latest`. */
export const imageName: ValueType<string> = single({
  metavar: 'IMAGE',
  parse: (text) => {
    const ref = parseImageRef(text);
    if (ref === undefined)
      throw new BadValue(
        `${quoted(text)} is not an image name`,
        'write a name such as sharedcloud/python36:latest',
      );
    return canonicalImageRef(ref);
  },
});

/**
 * The `uid:gid` of jobs; a uid alone means the group of the same number. Numbers only, because a name would be looked up in
 * the image, which is not trusted.
 */
export const userAndGroup: ValueType<string> = single({
  metavar: 'UID:GID|separate',
  parse: (text) => {
    if (text === 'separate') return text;
    const [, uid, gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
    if (uid === undefined || Number(uid) > 4_294_967_294 || Number(gid) > 4_294_967_294)
      throw new BadValue(
        `${quoted(text)} is not a user and group by number`,
        'write numbers, such as 65534:65534',
      );
    return `${Number(uid)}:${Number(gid)}`;
  },
  warn: (user) => (/^0:|:0$/.test(user) ? 'jobs run as root inside their containers' : undefined),
});

/** A value that is never shown. */
export const secret: ValueType<Secret> = single({
  metavar: 'SECRET',
  parse: (text) => new Secret(text),
});
