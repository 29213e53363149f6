package org.slotwise.unet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;

/**
 * The sizes of a {@link UNet}.
 *
 * <pre>{@code
 * UNetConfiguration.builder()
 *         .setChannels(4, 4)
 *         .setWidths(32, 64)
 *         .setTransformer(TransformerOptions.of(64, Heads.size(16)))
 *         .optGroups(8)
 *         .build()
 * }</pre>
 *
 * @param in the channels of what goes in
 * @param out the channels of what comes out
 * @param widths the channels of each level; each is of half the size of the one before it
 * @param attention whether a level has transformers; the middle always has one
 * @param blocks how many residual blocks a level has on the way down; one more on the way up
 * @param residual what residual blocks have in common
 * @param transformer what transformers have in common; null for a network that is not told slots,
 *     whose middle then has plain self-attention
 * @param middle the heads of that self-attention; with a transformer always its heads
 * @param time how the time is embedded, of the size of the first level
 * @param zeroStart whether the last layer of each residual block, transformer and of the whole
 *     starts at zero, as in SlotDiffusion
 */
public record UNetConfiguration(
        int in,
        int out,
        List<Integer> widths,
        List<Boolean> attention,
        int blocks,
        ResnetBlock.Options residual,
        @Nullable TransformerOptions transformer,
        Heads middle,
        TimeEmbedding time,
        boolean zeroStart) {

    private static final String WHO = "UNetConfiguration";

    /**
     * Creates a configuration; {@link #builder} has defaults.
     *
     * @param in at least 1
     * @param out at least 1
     * @param widths at least one, each a multiple of the groups, and of the heads where there are
     * @param attention as many as there are widths; none true without a transformer
     * @param blocks from 1 to 1,000
     * @param residual what residual blocks have in common
     * @param transformer what transformers have in common, or null
     * @param middle the heads of the middle without a transformer
     * @param time of the size of the first width
     * @param zeroStart whether last layers start at zero
     * @throws IllegalArgumentException if a number is out of range, or numbers do not agree
     */
    public UNetConfiguration {
        widths = List.copyOf(widths);
        attention = List.copyOf(attention);
        middle = transformer == null ? middle : transformer.heads();
        Check.atLeast(WHO, "in", in, 1);
        Check.atLeast(WHO, "out", out, 1);
        Limits.count(WHO, "widths", widths.size(), 1, 16);
        Limits.count(WHO, "blocks", blocks, 1, Limits.LAYERS);
        Check.option(
                attention.size() == widths.size(),
                WHO
                        + ": attention must be said of each width, got "
                        + attention.size()
                        + " for "
                        + widths.size());
        Check.option(
                transformer != null || !attention.contains(true),
                WHO + ": attention at a level needs a transformer");
        for (int i = 0; i < widths.size(); i++) {
            int width = widths.get(i);
            Check.option(
                    width > 0 && width % residual.groups() == 0,
                    WHO
                            + ": widths must be multiples of "
                            + residual.groups()
                            + " groups, got "
                            + width);
            if (attention.get(i) || i == widths.size() - 1) {
                middle.at(width);
            }
        }
        Check.option(
                time.size() == widths.get(0),
                WHO
                        + ": the time's embedding must be of the first width, "
                        + widths.get(0)
                        + ", got "
                        + time.size());
        int positions = transformer == null ? 0 : transformer.positions();
        Check.option(
                positions % (1 << (widths.size() - 1)) == 0,
                WHO
                        + ": positions must be a multiple of "
                        + (1 << (widths.size() - 1))
                        + ", got "
                        + positions);
    }

    /** Height and width must be multiples of it. */
    int factor() {
        return 1 << (widths.size() - 1);
    }

    /**
     * Latent Slot Diffusion's for MOVi-E, on latents (4, 32, 32) of Stable Diffusion's autoencoder.
     *
     * @return a configuration
     */
    public static UNetConfiguration latentSlotDiffusion() {
        return builder()
                .setChannels(4, 4)
                .setWidths(192, 384, 768, 768)
                .setTransformer(TransformerOptions.of(192, Heads.count(24)).withPositions(32))
                .optAttention(true, true, true, false)
                .optBlocks(2)
                .optGroups(24)
                .build();
    }

    /**
     * SlotDiffusion's for CLEVRTex, on latents (3, 32, 32) of its own autoencoder.
     *
     * @return a configuration
     */
    public static UNetConfiguration slotDiffusion() {
        return builder()
                .setChannels(3, 3)
                .setWidths(128, 256, 384, 512)
                .setTransformer(TransformerOptions.of(192, Heads.size(32)))
                .optAttention(false, true, true, true)
                .optBlocks(2)
                .optGroups(32)
                .optResidual(new ResnetBlock.Options(32, 1e-5, 0.1, false))
                .optZeroStart(true)
                .build();
    }

    /**
     * Starts a configuration.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link UNetConfiguration}. */
    public static final class Builder {
        private int in;
        private int out;
        private List<Integer> widths = List.of();
        private @Nullable List<Boolean> attention;
        private int blocks = 1;
        private ResnetBlock.Options residual = ResnetBlock.Options.of(32, 1e-5);
        private @Nullable TransformerOptions transformer;
        private Heads middle = Heads.size(8);
        private TimeEmbedding.Order order = TimeEmbedding.Order.COSINE_FIRST;
        private int shift;
        private boolean zeroStart;

        private Builder() {}

        /**
         * Sets the channels of what goes in and comes out.
         *
         * @param in at least 1
         * @param out at least 1
         * @return this
         */
        public Builder setChannels(int in, int out) {
            this.in = in;
            this.out = out;
            return this;
        }

        /**
         * Sets the channels of each level, and with it the number of levels.
         *
         * @param widths at least one, each a multiple of the groups
         * @return this
         */
        public Builder setWidths(int... widths) {
            List<Integer> list = new ArrayList<>();
            for (int width : widths) {
                list.add(width);
            }
            this.widths = list;
            return this;
        }

        /**
         * Sets what transformers have in common.
         *
         * @param transformer not set for a network that is not told slots
         * @return this
         */
        public Builder setTransformer(TransformerOptions transformer) {
            this.transformer = transformer;
            return this;
        }

        /**
         * Sets which levels have transformers.
         *
         * @param attention one for each width; if not set all have, where there is a transformer
         * @return this
         */
        public Builder optAttention(boolean... attention) {
            List<Boolean> list = new ArrayList<>();
            for (boolean level : attention) {
                list.add(level);
            }
            this.attention = list;
            return this;
        }

        /**
         * Sets how many residual blocks a level has on the way down.
         *
         * @param blocks from 1 to 1,000; 1 if not set
         * @return this
         */
        public Builder optBlocks(int blocks) {
            this.blocks = blocks;
            return this;
        }

        /**
         * Sets the groups of all group normalisations.
         *
         * @param groups at least 1; 32 if not set
         * @return this
         */
        public Builder optGroups(int groups) {
            this.residual =
                    new ResnetBlock.Options(
                            groups, residual.eps(), residual.dropout(), residual.scaleShift());
            return this;
        }

        /**
         * Sets what residual blocks have in common, groups included.
         *
         * @param residual 32 groups, an eps of 1e-5, neither dropout nor scale and shift if not set
         * @return this
         */
        public Builder optResidual(ResnetBlock.Options residual) {
            this.residual = residual;
            return this;
        }

        /**
         * Sets the heads of the middle's self-attention, where there is no transformer.
         *
         * @param middle of size 8 if not set
         * @return this
         */
        public Builder optMiddle(Heads middle) {
            this.middle = middle;
            return this;
        }

        /**
         * Sets how the time is embedded.
         *
         * @param order cosines first if not set
         * @param shift 0 or 1; 0 if not set
         * @return this
         */
        public Builder optTime(TimeEmbedding.Order order, int shift) {
            this.order = order;
            this.shift = shift;
            return this;
        }

        /**
         * Sets whether last layers start at zero, so that each block is the identity at first.
         *
         * @param zeroStart false if not set
         * @return this
         */
        public Builder optZeroStart(boolean zeroStart) {
            this.zeroStart = zeroStart;
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public UNetConfiguration build() {
            Limits.count(WHO, "widths", widths.size(), 1, 16);
            return new UNetConfiguration(
                    in,
                    out,
                    widths,
                    attention == null
                            ? Collections.nCopies(widths.size(), transformer != null)
                            : attention,
                    blocks,
                    residual,
                    transformer,
                    middle,
                    new TimeEmbedding(widths.get(0), order, shift),
                    zeroStart);
        }
    }
}
