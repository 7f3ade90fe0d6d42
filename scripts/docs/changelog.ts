/** The text below a version's heading in a changelog; undefined: there is no such heading. Pure. */
export function releaseNotes(changelog: string, version: string): string | undefined {
  const section = changelog.split(/^(?=## \[)/m).find((text) => text.startsWith(`## [${version}] - `));
  return section === undefined ? undefined : `${section.replace(/^.*\n/, '').trim()}\n`;
}
