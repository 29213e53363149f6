package org.slotwise.diffusion;

/**
 * What a network says of a noised latent. With a = alphaBar(t):
 *
 * <pre>{@code
 * z_t = sqrt(a) z_0 + sqrt(1 - a) noise
 *
 * NOISE      o = noise                                 z_0 = (z_t - sqrt(1 - a) o) / sqrt(a)
 * VELOCITY   o = sqrt(a) noise - sqrt(1 - a) z_0       z_0 = sqrt(a) z_t - sqrt(1 - a) o
 * DATA       o = z_0                                   noise = (z_t - sqrt(a) o) / sqrt(1 - a)
 * }</pre>
 */
public enum Prediction {
    /** The noise, as in Ho et al. (2020): diffusers' "epsilon". */
    NOISE {
        @Override
        Line estimate(double a) {
            return new Line(1 / Math.sqrt(a), -Math.sqrt(1 - a) / Math.sqrt(a));
        }

        @Override
        Line noise(double a) {
            return new Line(0, 1);
        }

        @Override
        Line target(double a) {
            return new Line(0, 1);
        }

        @Override
        double minSnr(double snr, double gamma) {
            // As snr goes to 0 this goes to 1.
            return snr <= gamma ? 1 : gamma / snr;
        }
    },
    /** Salimans and Ho, "Progressive Distillation" (2022): diffusers' "v_prediction". */
    VELOCITY {
        @Override
        Line estimate(double a) {
            return new Line(Math.sqrt(a), -Math.sqrt(1 - a));
        }

        @Override
        Line noise(double a) {
            return new Line(Math.sqrt(1 - a), Math.sqrt(a));
        }

        @Override
        Line target(double a) {
            return new Line(-Math.sqrt(1 - a), Math.sqrt(a));
        }

        @Override
        double minSnr(double snr, double gamma) {
            return NOISE.minSnr(snr, gamma) + 1;
        }
    },
    /** The latent without noise: diffusers' "sample". */
    DATA {
        @Override
        Line estimate(double a) {
            return new Line(0, 1);
        }

        @Override
        Line noise(double a) {
            return new Line(1 / Math.sqrt(1 - a), -Math.sqrt(a) / Math.sqrt(1 - a));
        }

        @Override
        Line target(double a) {
            return new Line(1, 0);
        }

        @Override
        double minSnr(double snr, double gamma) {
            return Math.min(snr, gamma);
        }
    };

    /** A sum of two arrays: first x + second y. */
    record Line(double first, double second) {}

    /** z_0 of z_t and o. */
    abstract Line estimate(double a);

    /** The noise, of z_t and o. */
    abstract Line noise(double a);

    /** What o should be, of z_0 and noise. */
    abstract Line target(double a);

    /** What a squared error counts: see {@link DenoisingLoss}. */
    abstract double minSnr(double snr, double gamma);
}
