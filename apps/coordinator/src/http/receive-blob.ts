import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { ArtifactContentError } from '@nesgd/core/errors';
import type { CacheFolder } from '@nesgd/core/storage';
import { IncomingFile, incomingFolder } from '@nesgd/core/transfer';

/** `broken off`: nobody hears an answer; the peer may begin anew. */
export type Received = 'stored' | 'too large' | 'other content' | 'broken off';

/** Takes a request's body as the blob of this name, unless it is larger than a blob may be, or other content. */
export async function receiveBlob(
  { cache, largestBlobBytes }: { readonly cache: CacheFolder; readonly largestBlobBytes: number },
  sha256: string,
  request: IncomingMessage,
): Promise<Received> {
  if (Number(request.headers['content-length'] ?? 0) > largestBlobBytes) return 'too large';
  const part = join(incomingFolder(cache), `${sha256}.${randomBytes(6).toString('hex')}.upload`);
  const file = await IncomingFile.open(part);
  try {
    // Else leaving the loop would cut the connection before the answer is out.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (file.bytes + chunk.length > largestBlobBytes) return 'too large';
      await file.append(chunk);
    }
    await file.finish(sha256, cache.blobs.path(sha256));
    return 'stored';
  } catch (error) {
    if (error instanceof ArtifactContentError) return 'other content';
    if (request.destroyed && !request.complete) return 'broken off';
    throw error;
  } finally {
    await file.discard();
  }
}
