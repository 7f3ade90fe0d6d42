/** The control file's fields of one build. */
export type Fields = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly architecture: string;
  /** Installed size, in KiB. */
  readonly kilobytes: number;
};

/** The package's control file. Pure. */
export function control({ architecture, description, kilobytes, name, version }: Fields): string {
  return `Package: ${name}
Version: ${version}
Architecture: ${architecture}
Maintainer: The sharedcloud-agent project <noreply@sharedcloud.io>
Section: net
Priority: optional
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1, adduser
Recommends: docker.io | docker-ce, nftables, systemd
Suggests: nvidia-container-toolkit, conntrack
Description: rents out this host's Nvidia GPUs
${wrapped(description)}
 .
 It brings its own Node.js, and needs Docker, an Nvidia driver and Nvidia's
 container toolkit. Nothing is started before its owner has set a token and
 a price.
`;
}

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 74) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => ` ${line}`).join('\n');
}
