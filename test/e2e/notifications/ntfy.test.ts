import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NOTIFICATION_KINDS } from '../../../src/domain/notification-kinds.ts';
import { runProcess } from '../../support/cli/process.ts';
import { describeNtfy, ntfyServer } from '../../support/ntfy/server.ts';

describeNtfy('a real ntfy server', () => {
  test('takes every kind from the owner of a token, and nothing from others', async () => {
    await using ntfy = await ntfyServer();
    const tokenFile = join(ntfy.directory, 'token');
    writeFileSync(tokenFile, `${ntfy.token}\n`, { mode: 0o600 });
    const env = { SHAREDCLOUD_NOTIFY_NTFY: `${ntfy.url}/gpus` };
    const sent = await runProcess(['notify', 'test', '--json'], {
      ...env,
      SHAREDCLOUD_NOTIFY_NTFY_TOKEN_FILE: tokenFile,
    });
    expect(sent.exit).toBe(0);
    const messages = await ntfy.messages('gpus');
    expect(messages).toHaveLength(NOTIFICATION_KINDS.length);
    expect(messages[0]).toMatchObject({ priority: 4, tags: ['warning'] });
    expect(messages[0]?.title).toContain('test: ');
    // Of three it is ntfy's default, which it leaves out.
    expect(messages.map(({ priority = 3 }) => priority)).toEqual([4, 4, 4, 4, 4, 2, 3, 3, 2]);

    const refused = await runProcess(['notify', 'test', '--kind', 'no-jobs', '--json'], env);
    expect(refused.exit).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      sent: [{ target: 'ntfy', kind: 'no-jobs', delivered: false, hint: expect.any(String) as unknown }],
    });
    expect(`${refused.stdout}${refused.stderr}`).not.toContain('/gpus');
    expect(await ntfy.messages('gpus')).toHaveLength(NOTIFICATION_KINDS.length);
  });
});
