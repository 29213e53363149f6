package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Run;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.Presets;

/** Scores, and models and options that cannot be scored. */
class EvaluatePicturesTest extends PicturePrograms {

    @Test
    void refusesWhatANewUserMayTry() throws IOException {
        train("other/..", "--report", "0").fails(2, "--report");
        Files.createDirectory(folder.resolve("full"));
        Files.writeString(folder.resolve("full/notes.txt"), "mine");
        train("full")
                .fails(
                        1,
                        "--out",
                        "full: it has other files than a model's in it, such as notes.txt");
        Files.writeString(folder.resolve("mine.zip"), "mine");
        train("mine.zip").fails(1, "--out", "mine.zip: it is no whole zip file");
        Files.writeString(folder.resolve("file"), "mine");
        train("file/model").fails(1, "--out", "file is a file, not a folder");
        train("file").fails(1, "--out", "file", "is a file");
        assertEquals("mine", Files.readString(folder.resolve("mine.zip")));
        train("x", "--preset", "foo").fails(2, "--preset must be one of [clevr, ");
        train("x", "--preset", "clevr").fails(2, "preset clevr cannot be made so", "128");
        train("x", "--preset", "dinosaur").fails(2, "--preset dinosaur needs --backbone");
        train("x", "--held-out", "12").fails(2, "--held-out must be below", "12, got 12");
        train("x", "--history", at("x/h.csv")).fails(1, "--history", "does not exist");
        assertFalse(Files.exists(folder.resolve("x")));
        train("x", "--masks", at("none")).fails(1, "none does not exist");
        Path masks = Files.createDirectory(folder.resolve("others"));
        train("x", "--masks", masks.toString(), "--images", drawn.resolve("images").toString())
                .fails(1, "--masks", "no picture has its mask here", "would be", "000.png");
        Files.move(drawn.resolve("masks/007.png"), drawn.resolve("masks/007.jpg"));
        train("x").fails(1, "007.png is missing", "007.jpg is no picture's mask");

        train("x", "--images", at("nothing")).fails(1, "nothing does not exist");
        String empty = Files.createDirectory(folder.resolve("empty")).toString();
        train("x", "--images", empty).fails(1, "empty", "this folder is empty; what is read");
        Path one = DrawnPictures.draw(folder.resolve("one"), 1);
        train("x", "--images", one.toString()).fails(1, "one has one picture");
        train("x", "--images", one.toString(), "--size", "160")
                .fails(1, "000.png is too small, 32 x 32", "at least 40 x 40");

        Run.of(
                        new EvaluatePictures(),
                        "--model",
                        "tetrominoes",
                        "--images",
                        one.resolve("images").toString())
                .fails(1, "images has no masks to score by");
        Run.of(new EvaluatePictures(), "--model", "sprites", "--images", one.toString())
                .fails(1, "sprites does not exist", "multi-dsprites and tetrominoes");
        Run.of(new EvaluatePictures(), "--model", at("one"), "--images", one.toString())
                .fails(1, "it has no model.json");
    }

    @Test
    void saysInItsUsersTermsWhatIsWrongWithAModel() throws IOException {
        train("model").succeeds();
        Path json = folder.resolve("model/model.json");
        String text = Files.readString(json);
        Files.writeString(json, text.replaceFirst("\\{", "{\"zork\": 1,"));
        Run run =
                Run.of(
                        new EvaluatePictures(),
                        "--model",
                        at("model"),
                        "--images",
                        drawn.toString());
        run.fails(1, "--model: cannot load ", "model.json: zork is unknown");
        assertFalse(run.err().contains("ObjectDiscovery"), run.err());
        Run made = train("x", "--preset", "clevr");
        made.fails(2, "preset clevr cannot be made so");
        assertFalse(made.err().contains("Configuration"), made.err());
    }

    @Test
    void saysOfWhichVersionAModelIs() throws IOException {
        train("model").succeeds();
        Path json = folder.resolve("model/model.json");
        Files.writeString(
                json, Files.readString(json).replaceFirst("\"version\": \\d+", "\"version\": 99"));
        Run.of(new EvaluatePictures(), "--model", at("model"), "--images", drawn.toString())
                .fails(1, "it is of version 99");
    }

    @Test
    void scoresSquaresAndSaysSo() throws IOException {
        try (ObjectDiscoveryModel wide =
                ObjectDiscoveryModel.create(
                        Presets.named("pictures").withImageSize(16, 24).configuration(), 0)) {
            wide.save(folder.resolve("wide"));
        }
        Run.of(new EvaluatePictures(), "--model", at("wide"), "--images", drawn.toString())
                .fails(1, "sees pictures of 16 x 24, and only squares");
    }
}
