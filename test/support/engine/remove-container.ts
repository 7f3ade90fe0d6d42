import type Docker from 'dockerode';

/** Removes a container by force, with its volumes, unless somebody else was faster. */
export async function removeContainer(docker: Docker, id: string): Promise<void> {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
  } catch (thrown) {
    if (!(thrown instanceof Error && /no such container|already in progress/i.test(thrown.message)))
      throw thrown;
  }
}
