package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Linear;
import org.slotwise.layer.PointwiseConvolution;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A transformer on the places of a map, which look at one another and at slots, with a way around
 * it.
 *
 * <p>Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (2022),
 * section 3.3; in the form of {@code Transformer2DModel} of diffusers.
 *
 * <pre>{@code
 * y = proj_in tokens(GN(x))
 * y = block(y, s)                      each block
 * z = x + image(proj_out y)
 * }</pre>
 *
 * <p>x and z are (B, C, h, w), s (B, K, D).
 */
record SpatialTransformer(
        GroupNorm norm, Layer projectIn, List<TransformerBlock> blocks, Layer projectOut)
        implements SlotLayer, Scriptable {

    /** Declares a transformer; side is that of the map, for positions, 0 without them. */
    static SpatialTransformer of(
            Declarer parameters,
            int channels,
            int groups,
            TransformerOptions options,
            int side,
            boolean zeroStart) {
        GroupNorm norm =
                GroupNorm.of(parameters.under("norm"), groups, channels, TransformerOptions.EPS);
        boolean linear = options.linearProjection();
        Initializer start = StartingValues.linear(channels);
        Layer in = projection(parameters.under("proj_in"), channels, linear, start);
        List<TransformerBlock> blocks = new ArrayList<>();
        Declarer all = parameters.under("transformer_blocks");
        for (int i = 0; i < options.depth(); i++) {
            Declarer block = all.under(Integer.toString(i));
            blocks.add(TransformerBlock.of(block, channels, options, side));
        }
        Initializer last = zeroStart ? Initializer.ZEROS : start;
        Layer out = projection(parameters.under("proj_out"), channels, linear, last);
        return new SpatialTransformer(norm, in, List.copyOf(blocks), out);
    }

    private static Layer projection(
            Declarer parameters, int channels, boolean linear, Initializer start) {
        return linear
                ? Linear.of(parameters, channels, channels, start, start)
                : PointwiseConvolution.of(parameters, channels, channels, start, start);
    }

    @Override
    public NDArray apply(Pass pass, NDArray x, Told told) {
        Check.shape("SpatialTransformer", "slots", told.slots(), x.getShape().get(0), "K", "D");
        try (Scope scope = new Scope()) {
            NDArray y = norm.apply(pass, x);
            y = Scope.next(y, FusedOps.tokens(y));
            y = Scope.next(y, projectIn.apply(pass, y));
            for (TransformerBlock block : blocks) {
                y = Scope.next(y, block.apply(pass, y, told));
            }
            y = Scope.next(y, projectOut.apply(pass, y));
            return scope.keep(x.add(ImageAttention.image(y, x.getShape())));
        }
    }

    /** {@code forward} takes x and slots (B K, D); {@code told} what {@code tell} made of slots. */
    @Override
    public ScriptModule script() {
        String who = "SpatialTransformer";
        StringBuilder forward = new StringBuilder();
        StringBuilder tell = new StringBuilder();
        StringBuilder told = new StringBuilder();
        for (int i = 0; i < blocks.size(); i++) {
            String block = "  %s" + ScriptModule.self("transformer_blocks", i);
            forward.append(block.formatted("y = ")).append(".forward(y, slots, batch)\n");
            tell.append(block.formatted("all = torch.add(all, ")).append(".tell(slots, batch))\n");
            told.append(block.formatted("y = "))
                    .append(
                            ".told(y, torch.slice(told, %1$s, %2$s), batch)\n"
                                    .formatted(3 * i, 3 * i + 3));
        }
        return ScriptModule.builder("SpatialTransformer")
                .module("norm", norm.script())
                .module("proj_in", ScriptModule.of(who, projectIn))
                .module(
                        "transformer_blocks",
                        ScriptModule.list(blocks.stream().map(TransformerBlock::script).toList()))
                .module("proj_out", ScriptModule.of(who, projectOut))
                .setCode(
                        """
                        def forward(self, x: Tensor, slots: Tensor) -> Tensor:
                          batch = torch.size(x, 0)
                          y = self.tokens(x)
                        %s\
                          return self.image(y, x)
                        def tell(self, slots: Tensor, batch: int) -> List[Tensor]:
                          all = annotate(List[Tensor], [])
                        %s\
                          return all
                        def told(self, x: Tensor, told: List[Tensor]) -> Tensor:
                          batch = torch.size(x, 0)
                          y = self.tokens(x)
                        %s\
                          return self.image(y, x)
                        def tokens(self, x: Tensor) -> Tensor:
                          n = torch.transpose(torch.flatten(self.norm.forward(x), 2), 1, 2)
                          return self.proj_in.forward(torch.flatten(n, 0, 1))
                        def image(self, y: Tensor, x: Tensor) -> Tensor:
                          z = torch.view(self.proj_out.forward(y), [torch.size(x, 0), -1, torch.size(x, 1)])
                          return torch.add(x, torch.view(torch.transpose(z, 1, 2), torch.size(x)))
                        """
                                .formatted(forward, tell, told))
                .build();
    }
}
