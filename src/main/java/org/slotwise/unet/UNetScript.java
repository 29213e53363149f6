package org.slotwise.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.torchscript.ScriptModule;

/** The way of {@link UNetLayers} through its parts in TorchScript, and the parts by their names. */
final class UNetScript {

    private static final String WHO = "UNet";
    private static final String FORWARD =
            """
            def forward(self, sample: Tensor, timestep: Tensor%1$s) -> Tensor:
            %2$s\
              t = self.projected(sample, timestep, self.projection())
              h = self.conv_in.forward(sample)
            %3$s\
              return self.conv_out.forward(self.conv_norm_out.activated(h))
            def projection(self) -> List[Tensor]:
              return [torch.cat([%4$s], 0), torch.cat([%5$s], 0)]
            def projected(self, sample: Tensor, timestep: Tensor, projection: List[Tensor]) -> List[Tensor]:
              return torch.split_with_sizes(self.all_projected(sample, timestep, projection), [%6$s], 1)
            def all_projected(self, sample: Tensor, timestep: Tensor, projection: List[Tensor]) -> Tensor:
              t = torch.to(timestep, ops.prim.device(sample), ops.prim.dtype(sample))
              t = torch.expand(torch.reshape(t, [-1]), [torch.size(sample, 0)])
              e = torch.silu(self.time_embedding.forward(self.time_proj.forward(t)))
              all = torch.linear(e, projection[0], projection[1])
              return torch.view(all, [torch.size(sample, 0), -1, 1, 1])
            """;
    private static final String TOLD =
            """
            def tell(self, encoder_hidden_states: Tensor) -> List[Tensor]:
              slots = torch.flatten(encoder_hidden_states, 0, 1)
              batch = torch.size(encoder_hidden_states, 0)
              told = self.projection()
            %1$s\
              return torch.add(told, [self.conv_in.packed(), self.conv_out.packed()])
            def step(self, sample: Tensor, timestep: Tensor, told: List[Tensor]) -> Tensor:
              return self.told(sample, self.projected(sample, timestep, told), told)
            def told(self, sample: Tensor, t: List[Tensor], told: List[Tensor]) -> Tensor:
              h = self.conv_in.by(sample, told[-2], self.conv_in.bias)
            %2$s\
              return self.conv_out.by(self.conv_norm_out.activated(h), told[-1], self.conv_out.bias)
            def tell_times(self, timesteps: Tensor) -> Tensor:
              e = torch.silu(self.time_embedding.forward(self.time_proj.forward(timesteps)))
              projection = self.projection()
              bias = torch.add(projection[1], torch.cat([%3$s], 0))
              return torch.linear(e, projection[0], bias)
            def step_at(self, sample: Tensor, time: Tensor, told: List[Tensor]) -> Tensor:
              return self.told(sample, torch.split_with_sizes(time, [%4$s], 0), told)
            """;

    private final boolean told;
    private final StringBuilder code = new StringBuilder();
    private final StringBuilder tell = new StringBuilder();
    private final StringBuilder step = new StringBuilder();
    private final UNetStages stages = new UNetStages();
    private final List<String> timed = new ArrayList<>();
    private int next = 2;
    private final Deque<String> kept = new ArrayDeque<>();

    private UNetScript(boolean told) {
        this.told = told;
    }

    /** The module of a network. */
    static ScriptModule of(UNetLayers network, boolean told) {
        UNetScript script = new UNetScript(told);
        ScriptModule.Builder module =
                ScriptModule.builder(WHO)
                        .module("conv_in", network.first().script())
                        .module("time_proj", network.times().script())
                        .module("time_embedding", network.time().script());
        script.keep();
        module.module("down_blocks", script.levels(network.down(), "down_blocks"));
        module.module("mid_block", script.middle(network.middle(), network.afterMiddle()));
        module.module("up_blocks", script.levels(network.up(), "up_blocks"));
        return module.module("conv_norm_out", network.norm().script())
                .module("conv_out", network.last().script())
                .setCode(script.whole())
                .build();
    }

    private String whole() {
        String forward =
                FORWARD.formatted(
                        told ? ", encoder_hidden_states: Tensor" : "",
                        told ? "  slots = torch.flatten(encoder_hidden_states, 0, 1)\n" : "",
                        code,
                        each("%s.weight"),
                        each("%s.bias"),
                        each("torch.size(%s.bias, 0)"));
        if (!told) {
            return forward;
        }
        String offsets = String.join(", ", timed.stream().map("%s.offset()"::formatted).toList());
        String sizes = each("torch.size(%s.bias, 0)");
        return forward + TOLD.formatted(tell, step, offsets, sizes) + stages.code(sizes);
    }

    private String each(String pattern) {
        String projection = pattern.replace("%s", "%s.time_emb_proj");
        return String.join(", ", timed.stream().map(projection::formatted).toList());
    }

    /** Keeps what a part makes of its weights alone, and says where it is. */
    private String packed(String part, int count) {
        String pattern =
                count == 1
                        ? "  told = torch.add(told, [%s.packed()])\n"
                        : "  told = torch.add(told, %s.packed())\n";
        tell.append(pattern.formatted(part));
        int first = next;
        next += count;
        return count == 1
                ? "told[%s]".formatted(first)
                : "torch.slice(told, %s, %s)".formatted(first, next);
    }

    private void throughout(String line) {
        throughout(line, line);
    }

    private void line(String forward, String stepping) {
        code.append("  ").append(forward).append('\n');
        step.append("  ").append(stepping).append('\n');
    }

    /** A line of a training step as well, which has one of its own for transformers. */
    private void throughout(String forward, String stepping) {
        line(forward, stepping);
        stages.line(forward);
    }

    private void keep() {
        String name = "kept" + kept.size();
        throughout(name + " = h");
        kept.push(name);
        stages.keep(name);
    }

    private ScriptModule levels(List<UNetLevel> levels, String name) {
        boolean down = name.startsWith("down");
        List<ScriptModule> all = new ArrayList<>();
        for (UNetLevel level : levels) {
            String path = ScriptModule.self(name, all.size());
            List<ScriptModule> residuals = new ArrayList<>();
            List<ScriptModule> attentions = new ArrayList<>();
            for (UNetLevel.Stage stage : level.stages()) {
                if (!down) {
                    throughout("h = torch.cat([h, " + kept.pop() + "], 1)");
                }
                stage(path, stage, residuals, attentions);
                if (down) {
                    keep();
                }
            }
            Layer resize = level.resize();
            String resizers = down ? "downsamplers" : "upsamplers";
            if (resize != null) {
                String resizer = part(path, resizers, 0);
                throughout(
                        "h = " + resizer + ".forward(h)",
                        "h = %s.by(h, %s)".formatted(resizer, packed(resizer, 1)));
                if (down) {
                    keep();
                }
            }
            ScriptModule.Builder module =
                    ScriptModule.builder(down ? "DownBlock" : "UpBlock")
                            .module("resnets", ScriptModule.list(residuals))
                            .module("attentions", listed(attentions));
            if (resize != null) {
                ScriptModule one = ScriptModule.of(WHO, resize);
                module.module(resizers, ScriptModule.list(List.of(one)));
            }
            all.add(module.setCode("").build());
        }
        return ScriptModule.list(all);
    }

    private ScriptModule middle(UNetLevel.Stage stage, ResnetBlock after) {
        List<ScriptModule> residuals = new ArrayList<>();
        List<ScriptModule> attentions = new ArrayList<>();
        String path = ScriptModule.self("mid_block");
        stage(path, stage, residuals, attentions);
        residual(path, after, residuals);
        return ScriptModule.builder("MidBlock")
                .module("resnets", ScriptModule.list(residuals))
                .module("attentions", listed(attentions))
                .setCode("")
                .build();
    }

    private static @Nullable ScriptModule listed(List<ScriptModule> modules) {
        return modules.isEmpty() ? null : ScriptModule.list(modules);
    }

    private void stage(
            String path,
            UNetLevel.Stage stage,
            List<ScriptModule> residuals,
            List<ScriptModule> attentions) {
        residual(path, stage.residual(), residuals);
        if (stage.attention() != SlotLayer.NONE) {
            String attention = part(path, "attentions", attentions.size());
            attentions.add(ScriptModule.of(WHO, stage.attention()));
            if (stage.attention() instanceof SpatialTransformer transformer) {
                int first = next;
                next += 3 * transformer.blocks().size();
                line(
                        "h = " + attention + ".forward(h, slots)",
                        "h = %s.told(h, torch.slice(told, %s, %s))"
                                .formatted(attention, first, next));
                tell.append("  told = torch.add(told, ").append(attention);
                tell.append(".tell(slots, batch))\n");
                stages.transformer(attention, transformer.blocks().size());
            } else {
                throughout("h = " + attention + ".forward(h)");
            }
        }
    }

    private void residual(String path, ResnetBlock block, List<ScriptModule> modules) {
        String name = part(path, "resnets", modules.size());
        int number = timed.size();
        throughout(
                "h = %s.told(h, t[%s])".formatted(name, number),
                "h = %s.by(h, t[%s], %s)".formatted(name, number, packed(name, 2)));
        timed.add(name);
        modules.add(block.script());
    }

    private static String part(String path, String list, int number) {
        return "getattr(" + path + "." + list + ", \"" + number + "\")";
    }
}
