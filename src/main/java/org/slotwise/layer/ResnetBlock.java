package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A residual block of diffusion networks and their autoencoders, which may be told the time.
 *
 * <p>Source: Ho et al., "Denoising Diffusion Probabilistic Models" (2020), appendix B; scale and
 * shift: Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis" (2021), section 3; in
 * the form of {@code ResnetBlock2D} of diffusers, whose parameter names it uses.
 *
 * <pre>{@code
 * h = conv1(resize(silu(norm1 x)))
 * h = silu(norm2(h + W e + b))                             e: silu of the time's embedding
 * h = silu(norm2(h) (1 + a) + c),   [a, c] = W e + b       with scale and shift
 * y = shortcut(resize(x)) + conv2(dropout(h))
 * }</pre>
 *
 * <p>x is (B, in, h, w), y (B, out, h', w'), of the same size, half of it or twice; e is (B, E).
 * The shortcut is a convolution of 1 x 1 where the channels change, else x itself.
 */
public final class ResnetBlock implements Layer, Scriptable {

    /**
     * What residual blocks of a network have in common.
     *
     * @param groups of both normalisations
     * @param eps what they add to the variance
     * @param dropout what part is dropped in training, at least 0 and below 1
     * @param scaleShift whether the time scales and shifts in place of being added
     */
    public record Options(int groups, double eps, double dropout, boolean scaleShift) {

        /**
         * Creates options.
         *
         * @param groups at least 1
         * @param eps above 0
         * @param dropout at least 0 and below 1
         * @param scaleShift whether the time scales and shifts in place of being added
         * @throws IllegalArgumentException if a number is out of range
         */
        public Options {
            Check.atLeast("ResnetBlock", "groups", groups, 1);
            Check.positive("ResnetBlock", "eps", eps);
            Check.option(
                    dropout >= 0 && dropout < 1,
                    "ResnetBlock: dropout must be at least 0 and below 1, got " + dropout);
        }

        /**
         * Options without dropout, scale and shift.
         *
         * @param groups at least 1
         * @param eps above 0
         * @return the options
         */
        public static Options of(int groups, double eps) {
            return new Options(groups, eps, 0, false);
        }
    }

    /** What a block does to the size. */
    public enum Resize {
        /** Nothing. */
        SAME,
        /** Means of 2 x 2 places. */
        HALF,
        /** Each place four times. */
        TWICE;

        /**
         * Resizes.
         *
         * @param x (B, C, h, w)
         * @return a new array; x itself if nothing changes
         */
        public NDArray apply(NDArray x) {
            Check.shape("ResnetBlock.Resize", "input", x, "B", "C", "h", "w");
            Shape s = x.getShape();
            Check.option(
                    this != HALF || (s.get(2) % 2 == 0 && s.get(3) % 2 == 0),
                    "ResnetBlock: height and width that are halved must be even, got " + s);
            return switch (this) {
                case SAME -> x;
                case HALF -> FusedOps.half(x);
                case TWICE -> FusedOps.twice(x);
            };
        }
    }

    private static final String SCALED =
            """
              a, c = torch.chunk(t, 2, 1)
              h = torch.mul(self.norm2.forward(h), torch.add(a, 1))
              h = torch.silu(torch.add(h, c))
            """;

    private static final String BY_SCALED =
            """
              h = self.conv1.by(h, weights[0], self.conv1.bias)
              if torch.eq(torch.dim(t), 1):
                t = torch.view(t, [1, -1, 1, 1])
            """
                    + SCALED;

    private static final String BY_SHIFTED =
            """
              if torch.eq(torch.dim(t), 1):
                h = self.conv1.by(h, weights[0], t)
              else:
                h = torch.add(self.conv1.by(h, weights[0], self.conv1.bias), t)
              h = self.norm2.activated(h)
            """;

    private final long in;
    private final Options options;
    private final Resize resize;
    private final GroupNorm norm1;
    private final Convolution conv1;
    private final @Nullable Linear time;
    private final GroupNorm norm2;
    private final Convolution conv2;
    private final Layer shortcut;

    /**
     * Declares a block.
     *
     * @param parameters declares under the block's name
     * @param in the channels that go in, a multiple of the groups
     * @param out the channels that come out, a multiple of the groups
     * @param timeSize E; 0 for a block that is not told the time
     * @param options what blocks have in common
     * @param resize what it does to the size
     * @param last how the last convolution starts; null as PyTorch's Conv2d does
     */
    public ResnetBlock(
            Declarer parameters,
            long in,
            long out,
            long timeSize,
            Options options,
            Resize resize,
            @Nullable Initializer last) {
        this.in = in;
        this.options = options;
        this.resize = resize;
        norm1 = GroupNorm.of(parameters.under("norm1"), options.groups, in, options.eps);
        conv1 = Convolution.of(parameters.under("conv1"), in, out, Window.same(3));
        time =
                timeSize == 0
                        ? null
                        : Linear.of(
                                parameters.under("time_emb_proj"),
                                timeSize,
                                options.scaleShift ? 2 * out : out);
        norm2 = GroupNorm.of(parameters.under("norm2"), options.groups, out, options.eps);
        Initializer start = last == null ? StartingValues.convolution(out, 3) : last;
        conv2 = Convolution.of(parameters.under("conv2"), out, out, Window.same(3), start, start);
        shortcut =
                in == out
                        ? Layer.NONE
                        : Convolution.of(
                                parameters.under("conv_shortcut"), in, out, Window.valid(1));
    }

    /** A block that is not told the time. {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return apply(pass, x, null);
    }

    /**
     * Computes the block.
     *
     * @param pass the call of the block
     * @param x (B, in, h, w); of even sizes if they are halved
     * @param e silu of the time's embedding (B, E); null for a block that is not told the time
     * @return (B, out, h', w'), a new array
     */
    public NDArray apply(Pass pass, NDArray x, @Nullable NDArray e) {
        Check.shape("ResnetBlock", "input", x, "B", in, "h", "w");
        try (Scope scope = new Scope()) {
            NDArray h = norm1.activated(pass, x);
            h = Scope.next(h, resize.apply(h));
            h = Scope.next(h, conv1.apply(pass, h));
            h = Scope.next(h, second(pass, h, e));
            h = Scope.next(h, dropped(pass, h));
            h = Scope.next(h, conv2.apply(pass, h));
            return scope.keep(h.addi(shortcut.apply(pass, resize.apply(x))));
        }
    }

    /** The time, second normalisation and silu of h. */
    private NDArray second(Pass pass, NDArray h, @Nullable NDArray e) {
        if (time == null || e == null) {
            Check.option(
                    time == null && e == null,
                    "ResnetBlock: the time must be given where there is a projection of it");
            return norm2.activated(pass, h);
        }
        NDArray t = time.apply(pass, e).expandDims(2).expandDims(3); // (B, C or 2 C, 1, 1)
        if (!options.scaleShift) {
            return norm2.activated(pass, h.addi(t));
        }
        NDList halves = t.split(2, 1);
        NDArray scale = halves.get(0).add(Scalars.like(t, 1));
        NDArray moved = norm2.apply(pass, h).mul(scale).add(halves.get(1));
        return Scope.next(moved, FusedOps.silu(moved));
    }

    private NDArray dropped(Pass pass, NDArray h) {
        if (!pass.training()) {
            return h;
        }
        DropoutMask mask = new Dropout(options.dropout).kept(h, h.getShape());
        return mask == null ? h : mask.apply(h);
    }

    /**
     * Its {@code forward} takes x and, where it is told the time, e; {@code told} takes x and what
     * {@code projected} makes of e; {@code by} takes besides what {@code packed} gave, or in place
     * of what is projected one row of it for all pictures, with {@code offset} added. {@inheritDoc}
     */
    @Override
    public ScriptModule script() {
        String kept = "h";
        if (options.dropout > 0) {
            kept = "torch.dropout(h, " + options.dropout + ", self.training)";
        }
        boolean changes = shortcut instanceof Scriptable;
        String around = resized("x");
        String seen = resized("self.norm1.activated(x)");
        String first =
                """
                  h = self.conv1.forward(%s)
                """
                        .formatted(seen);
        String whole = changes ? "self.conv_shortcut.forward(" + around + ")" : around;
        String last =
                """
                  y = self.conv2.forward(%s)
                  return torch.add(%s, y)
                """
                        .formatted(kept, whole);
        return ScriptModule.builder("ResnetBlock")
                .module("norm1", norm1.script())
                .module("conv1", conv1.script())
                .module("time_emb_proj", time == null ? null : time.script())
                .module("norm2", norm2.script())
                .module("conv2", conv2.script())
                .module("conv_shortcut", changes ? ScriptModule.of("ResnetBlock", shortcut) : null)
                .setCode(time == null ? untold(first, last) : told(first, last) + by(seen, whole))
                .build();
    }

    private String resized(String x) {
        return switch (resize) {
            case SAME -> x;
            case HALF -> "torch.avg_pool2d(" + x + ", [2, 2], [2, 2], [0, 0], False, True, None)";
            case TWICE -> "torch.upsample_nearest2d(" + x + ", None, [2., 2.])";
        };
    }

    private static String untold(String first, String last) {
        return "def forward(self, x: Tensor) -> Tensor:\n"
                + first
                + "  h = self.norm2.activated(h)\n"
                + last;
    }

    private String told(String first, String last) {
        return """
        def forward(self, x: Tensor, e: Tensor) -> Tensor:
          return self.told(x, self.projected(e))
        def projected(self, e: Tensor) -> Tensor:
          return torch.view(self.time_emb_proj.forward(e), [torch.size(e, 0), -1, 1, 1])
        def told(self, x: Tensor, t: Tensor) -> Tensor:
        """
                + first
                + (options.scaleShift
                        ? SCALED
                        : """
                            h = self.norm2.activated(torch.add(h, t))
                          """)
                + last;
    }

    /** Without a graph, and without dropout: the time of all pictures is added with the bias. */
    private String by(String seen, String whole) {
        return """
        def packed(self) -> List[Tensor]:
          return [self.conv1.packed(), self.conv2.packed()]
        def offset(self) -> Tensor:
          return OFFSET
        def by(self, x: Tensor, t: Tensor, weights: List[Tensor]) -> Tensor:
          h = SEEN
        MIDDLE\
          y = self.conv2.by(h, weights[1], self.conv2.bias)
          return torch.add(WHOLE, y)
        """
                .replace("SEEN", seen)
                .replace("WHOLE", whole)
                .replace(
                        "OFFSET",
                        options.scaleShift
                                ? "torch.zeros_like(self.time_emb_proj.bias)"
                                : "self.conv1.bias")
                .replace("MIDDLE", options.scaleShift ? BY_SCALED : BY_SHIFTED);
    }
}
