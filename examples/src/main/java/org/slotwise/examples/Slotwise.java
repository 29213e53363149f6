package org.slotwise.examples;

import org.slotwise.examples.ablate.AblateSlotAttention;
import org.slotwise.examples.compare.CompareGroupings;
import org.slotwise.examples.diffusion.DiffuseSlots;
import org.slotwise.examples.discover.DiscoverObjects;
import org.slotwise.examples.edit.EditLatents;
import org.slotwise.examples.gnm.ExplainScenes;
import org.slotwise.examples.group.GroupPixels;
import org.slotwise.examples.minimal.TrainSlotAttention;
import org.slotwise.examples.photos.DiscoverInPhotos;
import org.slotwise.examples.pictures.EvaluatePictures;
import org.slotwise.examples.pictures.MeasureDistance;
import org.slotwise.examples.pictures.PackageModel;
import org.slotwise.examples.pictures.PredictPictures;
import org.slotwise.examples.pictures.ShowPictures;
import org.slotwise.examples.pictures.TrainPictures;
import org.slotwise.examples.pictures.WriteScenes;
import org.slotwise.examples.sets.PredictSets;
import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.slate.ComposePictures;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * All programs as one command: the name of a program is that of its package, but for those that
 * work with one's own pictures, which lie in one.
 */
@Command(
        name = "slotwise",
        description = {
            "Finds the objects of pictures: train, evaluate, predict, show, package and distance work"
                    + " with your own; the others show what Slotwise does.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All went well.", "1:Something failed.", "2:An option is wrong."})
public final class Slotwise implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs a program and ends the process with its exit code.
     *
     * @param args the name of a program and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(command(), args);
    }

    /**
     * The command with those of all programs.
     *
     * @return what picocli runs
     */
    public static CommandSpec command() {
        CommandSpec all = CommandSpec.forAnnotatedObject(new Slotwise());
        add(all, "train", new TrainPictures());
        add(all, "evaluate", new EvaluatePictures());
        add(all, "predict", new PredictPictures());
        add(all, "show", new ShowPictures());
        add(all, "package", new PackageModel());
        add(all, "distance", new MeasureDistance());
        add(all, "scenes", new WriteScenes());
        add(all, "discover", new DiscoverObjects());
        add(all, "group", new GroupPixels());
        add(all, "photos", new DiscoverInPhotos());
        add(all, "sets", new PredictSets());
        add(all, "edit", new EditLatents());
        add(all, "slate", new ComposePictures());
        add(all, "gnm", new ExplainScenes());
        add(all, "diffusion", new DiffuseSlots());
        add(all, "ablate", new AblateSlotAttention());
        add(all, "compare", new CompareGroupings());
        add(all, "minimal", new TrainSlotAttention());
        return all;
    }

    /** By itself a program is called as its class is. */
    private static void add(CommandSpec all, String name, Object program) {
        all.addSubcommand(name, CommandSpec.forAnnotatedObject(program).name(name));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
