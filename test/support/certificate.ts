import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The paths of a certificate and its key, as PEM. */
export interface CertificateFiles {
  readonly key: string;
  readonly cert: string;
}

/** Makes a self-signed certificate for 127.0.0.1 in this folder, with the program `openssl`. */
export function makeCertificate(folder: string): CertificateFiles {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { key, cert };
}
