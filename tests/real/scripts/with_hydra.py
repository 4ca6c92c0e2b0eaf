import hydra


@hydra.main(version_base=None, config_path="conf", config_name="with_hydra")
def main(config):
    if config.lr > 1:
        raise ValueError("the loss is not finite")
    return (config.lr - 0.1) ** 2


if __name__ == "__main__":
    main()
