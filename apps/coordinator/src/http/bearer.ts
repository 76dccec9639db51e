import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Tells requests that carry the secret (`Authorization: Bearer ...`) from all others. Hashes are compared, in constant
 * time: neither the secret nor its length shows in how long an answer takes.
 */
export function bearerCheck(secret: string): (authorization: string | undefined) => boolean {
  const wanted = sha256(secret);
  return (authorization = '') => {
    const [, token = ''] = /^Bearer (.+)$/i.exec(authorization) ?? [];
    return timingSafeEqual(sha256(token), wanted);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
