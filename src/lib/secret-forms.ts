/** Shorter than this, what a secret looks like in other writings would be found in everything. */
const LEAST_LENGTH = 8;

/** A secret in every writing in which it may turn up inside other text: as it is, in JSON, in a URL, in base64. */
export function secretForms(secret: string): readonly string[] {
  if (secret === '') return [];
  const quoted = JSON.stringify(secret).slice(1, -1);
  const forms = [secret, quoted];
  if (secret.length >= LEAST_LENGTH) {
    const base64 = [0, 1, 2].map((before) => withinBase64(secret, before));
    const base64url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
    forms.push(encodeURIComponent(secret), ...base64, ...base64url);
  }
  // A form may be part of another.
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** What base64 surely makes of a secret behind so many bytes (modulo 3): without what its neighbours have a part in. */
function withinBase64(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3));
}
